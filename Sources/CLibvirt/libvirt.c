#include "CLibvirt.h"

#include "loading.h"

#define LIBVIRT(result, name, parameters, arguments) VPS_LOADED("libvirt.so.0", result, name, parameters, arguments)
#define LIBVIRT_QEMU(result, name, parameters, arguments) VPS_LOADED("libvirt-qemu.so.0", result, name, parameters, arguments)

LIBVIRT(int, virConnectClose, (virConnectPtr conn), (conn))
LIBVIRT(int, virConnectDomainEventDeregisterAny, (virConnectPtr conn, int callbackID), (conn, callbackID))
LIBVIRT(int, virConnectDomainEventRegisterAny,
  (virConnectPtr conn, virDomainPtr dom, int eventID, virConnectDomainEventGenericCallback cb, void *opaque, virFreeCallback freecb),
  (conn, dom, eventID, cb, opaque, freecb))
LIBVIRT(int, virConnectGetAllDomainStats,
  (virConnectPtr conn, unsigned int stats, virDomainStatsRecordPtr **retStats, unsigned int flags),
  (conn, stats, retStats, flags))
LIBVIRT(char *, virConnectGetDomainCapabilities,
  (virConnectPtr conn, const char *emulatorbin, const char *arch, const char *machine, const char *virttype, unsigned int flags),
  (conn, emulatorbin, arch, machine, virttype, flags))
LIBVIRT(int, virConnectIsAlive, (virConnectPtr conn), (conn))
LIBVIRT(virConnectPtr, virConnectOpen, (const char *name), (name))
LIBVIRT(int, virConnectRegisterCloseCallback,
  (virConnectPtr conn, virConnectCloseFunc cb, void *opaque, virFreeCallback freecb),
  (conn, cb, opaque, freecb))
LIBVIRT(int, virConnectSetKeepAlive, (virConnectPtr conn, int interval, unsigned int count), (conn, interval, count))
LIBVIRT(int, virConnectUnregisterCloseCallback, (virConnectPtr conn, virConnectCloseFunc cb), (conn, cb))
LIBVIRT(int, virDomainAbortJob, (virDomainPtr dom), (dom))
LIBVIRT(int, virDomainBackupBegin,
  (virDomainPtr domain, const char *backupXML, const char *checkpointXML, unsigned int flags),
  (domain, backupXML, checkpointXML, flags))
LIBVIRT(char *, virDomainBackupGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(int, virDomainBlockStats,
  (virDomainPtr dom, const char *disk, virDomainBlockStatsPtr stats, size_t size),
  (dom, disk, stats, size))
LIBVIRT(int, virDomainCreateWithFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(virDomainPtr, virDomainCreateXML, (virConnectPtr conn, const char *xmlDesc, unsigned int flags), (conn, xmlDesc, flags))
LIBVIRT(virDomainPtr, virDomainDefineXMLFlags, (virConnectPtr conn, const char *xml, unsigned int flags), (conn, xml, flags))
LIBVIRT(int, virDomainDestroyFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(int, virDomainFree, (virDomainPtr domain), (domain))
LIBVIRT(unsigned int, virDomainGetID, (virDomainPtr domain), (domain))
LIBVIRT(int, virDomainGetJobStats,
  (virDomainPtr domain, int *type, virTypedParameterPtr *params, int *nparams, unsigned int flags),
  (domain, type, params, nparams, flags))
LIBVIRT(char *, virDomainGetMetadata,
  (virDomainPtr domain, int type, const char *uri, unsigned int flags),
  (domain, type, uri, flags))
LIBVIRT(const char *, virDomainGetName, (virDomainPtr domain), (domain))
LIBVIRT(int, virDomainGetState, (virDomainPtr domain, int *state, int *reason, unsigned int flags), (domain, state, reason, flags))
LIBVIRT(int, virDomainGetUUID, (virDomainPtr domain, unsigned char *uuid), (domain, uuid))
LIBVIRT(char *, virDomainGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(int, virDomainIsActive, (virDomainPtr dom), (dom))
LIBVIRT(virDomainPtr, virDomainLookupByUUIDString, (virConnectPtr conn, const char *uuid), (conn, uuid))
LIBVIRT(int, virDomainOpenGraphicsFD, (virDomainPtr dom, unsigned int idx, unsigned int flags), (dom, idx, flags))
LIBVIRT(int, virDomainRef, (virDomainPtr domain), (domain))
LIBVIRT(int, virDomainResume, (virDomainPtr domain), (domain))
LIBVIRT(int, virDomainSetBlockIoTune,
  (virDomainPtr dom, const char *disk, virTypedParameterPtr params, int nparams, unsigned int flags),
  (dom, disk, params, nparams, flags))
LIBVIRT(int, virDomainSetSchedulerParametersFlags,
  (virDomainPtr domain, virTypedParameterPtr params, int nparams, unsigned int flags),
  (domain, params, nparams, flags))
LIBVIRT(int, virDomainShutdownFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(void, virDomainStatsRecordListFree, (virDomainStatsRecordPtr *stats), (stats))
LIBVIRT(int, virDomainSuspend, (virDomainPtr domain), (domain))
LIBVIRT(int, virDomainUndefineFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
LIBVIRT(int, virEventRegisterDefaultImpl, (void), ())
LIBVIRT(int, virEventRunDefaultImpl, (void), ())
LIBVIRT(virErrorPtr, virGetLastError, (void), ())
LIBVIRT(int, virInitialize, (void), ())
LIBVIRT(void, virSetErrorFunc, (void *userData, virErrorFunc handler), (userData, handler))
LIBVIRT(int, virTypedParamsAddULLong,
  (virTypedParameterPtr *params, int *nparams, int *maxparams, const char *name, unsigned long long value),
  (params, nparams, maxparams, name, value))
LIBVIRT(void, virTypedParamsFree, (virTypedParameterPtr params, int nparams), (params, nparams))

LIBVIRT_QEMU(char *, virDomainQemuAgentCommand,
  (virDomainPtr domain, const char *cmd, int timeout, unsigned int flags),
  (domain, cmd, timeout, flags))
LIBVIRT_QEMU(int, virDomainQemuMonitorCommand,
  (virDomainPtr domain, const char *cmd, char **result, unsigned int flags),
  (domain, cmd, result, flags))
LIBVIRT_QEMU(int, virDomainQemuMonitorCommandWithFiles,
  (virDomainPtr domain, const char *cmd, unsigned int ninfiles, int *infiles, unsigned int *noutfiles, int **outfiles,
   char **result, unsigned int flags),
  (domain, cmd, ninfiles, infiles, noutfiles, outfiles, result, flags))
