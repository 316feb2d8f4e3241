#pragma once
// glibc declares these only with the GNU extensions, which are not available in Swift, or in a header that Swift's Glibc leaves out.
#ifdef __linux__
#include <malloc.h>
#include <spawn.h>
#include <sys/timex.h>
#include <sys/types.h>
extern int pipe2(int ends[2], int flags);
extern int memfd_create(const char *name, unsigned int flags);
extern int renameat2(int folder, const char *path, int newFolder, const char *newPath, unsigned int flags);
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
#endif
