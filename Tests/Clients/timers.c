/* Under faketime dates go fast, and nothing else is to. But it takes every moment that a timer is set to for a date, and so the
 * deadlines of libdispatch, which are on the clock that nobody fakes here, for moments that never come. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int timer, int flags, const struct itimerspec *new_value, struct itimerspec *old_value) {
  return (int)syscall(SYS_timerfd_settime, timer, flags, new_value, old_value);
}
