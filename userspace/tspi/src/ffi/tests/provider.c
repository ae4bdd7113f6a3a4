/* A provider for the tests of the loader: one line, one call, and a few things that hosts have to
   tolerate. Completions come inside the functions (C4). The types are those of the table. */
#include <stdint.h>
#include <string.h>

typedef uint32_t DWORD;
typedef int32_t LONG;
typedef uintptr_t HANDLE_;
typedef uint16_t WCHAR_;
typedef void (*ASYNC_COMPLETION)(DWORD, LONG);
typedef void (*LINEEVENT)(HANDLE_, HANDLE_, DWORD, uintptr_t, uintptr_t, uintptr_t);
typedef void (*PHONEEVENT)(HANDLE_, DWORD, uintptr_t, uintptr_t, uintptr_t);

#define FAILED ((LONG)0x80000048)
#define CALLUNAVAIL ((LONG)0x80000005)
#define INVALDIGITMODE ((LONG)0x80000027)
#define LINE_CALLSTATE 2
#define LINE_GATHERDIGITS 6
#define LINE_NEWCALL 500
#define CONNECTED 0x100
#define OFFERING 2

static ASYNC_COMPLETION completion;
static LINEEVENT event;
static HANDLE_ line, call;
static DWORD *completion_id;
static WCHAR_ *digits;

LONG TSPI_lineNegotiateTSPIVersion(DWORD device, DWORD low, DWORD high, DWORD *version)
{
    (void)device;
    if (low > 0x20000 || high < 0x20000)
        return FAILED;
    *version = 0x20000;
    return 0;
}

LONG TSPI_providerEnumDevices(DWORD id, DWORD *lines, DWORD *phones, HANDLE_ provider,
                              LINEEVENT line_created, PHONEEVENT phone_created)
{
    (void)id, (void)provider, (void)line_created, (void)phone_created;
    *lines = 1;
    *phones = 0;
    return 0;
}

LONG TSPI_providerInit(DWORD version, DWORD id, DWORD line_base, DWORD phone_base, uintptr_t lines,
                       uintptr_t phones, ASYNC_COMPLETION procedure, DWORD *options)
{
    (void)version, (void)id, (void)line_base, (void)phone_base, (void)lines, (void)phones;
    completion = procedure;
    *options = 0;
    return 0;
}

/* Something is outstanding, and fails. */
LONG TSPI_providerShutdown(DWORD version, DWORD id)
{
    (void)version, (void)id;
    completion(99, FAILED);
    return 0;
}

LONG TSPI_lineGetDevCaps(DWORD device, DWORD version, DWORD extension, unsigned char *caps)
{
    DWORD total, used = 252;
    (void)device, (void)version, (void)extension;
    memcpy(&total, caps, 4);
    if (total < used)
        return FAILED;
    memset(caps + 4, 0, total - 4);
    memcpy(caps + 4, &used, 4);
    memcpy(caps + 8, &used, 4);
    return 0;
}

LONG TSPI_lineOpen(DWORD device, HANDLE_ tapi, HANDLE_ *handle, DWORD version, LINEEVENT procedure)
{
    (void)device, (void)version;
    line = tapi;
    event = procedure;
    *handle = 1;
    return 0;
}

LONG TSPI_lineClose(HANDLE_ handle)
{
    (void)handle;
    return 0;
}

/* Completes at once; to "busy" with an error, an id and no handle. */
LONG TSPI_lineMakeCall(DWORD id, HANDLE_ on, HANDLE_ tapi, HANDLE_ *handle, const WCHAR_ *address,
                       DWORD country, const void *params)
{
    (void)on, (void)country, (void)params;
    if (address && address[0] == 'b') {
        completion(id, CALLUNAVAIL);
        return (LONG)id;
    }
    call = tapi;
    *handle = 1;
    completion(id, 0);
    event(line, call, LINE_CALLSTATE, CONNECTED, 0, 4);
    return (LONG)id;
}

LONG TSPI_lineDrop(DWORD id, HANDLE_ on, const char *info, DWORD size)
{
    (void)on, (void)info, (void)size;
    completion(id, 0);
    return (LONG)id;
}

LONG TSPI_lineCloseCall(HANDLE_ on)
{
    (void)on;
    return 0;
}

/* Against R2, with a completion all the same. */
LONG TSPI_lineAnswer(DWORD id, HANDLE_ on, const char *info, DWORD size)
{
    (void)on, (void)info, (void)size;
    completion(id, FAILED);
    return 0;
}

/* Against R3. */
LONG TSPI_lineHold(DWORD id, HANDLE_ on)
{
    (void)on;
    return (LONG)id + 1;
}

/* Against K2. */
LONG TSPI_lineMonitorDigits(HANDLE_ on, DWORD modes)
{
    (void)on, (void)modes;
    return 5;
}

/* Keeps the memory for its result. */
LONG TSPI_lineCompleteCall(DWORD id, HANDLE_ on, DWORD *result, DWORD mode, DWORD message)
{
    (void)on, (void)mode, (void)message;
    completion_id = result;
    return (LONG)id;
}

LONG TSPI_lineGatherDigits(HANDLE_ on, DWORD id, DWORD modes, WCHAR_ *memory, DWORD count,
                           const WCHAR_ *ends, DWORD first, DWORD others)
{
    (void)on, (void)id, (void)ends, (void)first, (void)others;
    if (modes == 99)
        return INVALDIGITMODE;
    digits = count == 4 ? memory : 0;
    return 0;
}

/* What the test wants to happen now: 1 two events and a call, 5 the end of gathering, 8 the
   completion with its result. */
LONG TSPI_lineSetCurrentLocation(DWORD what)
{
    static const WCHAR_ gathered[4] = {'1', '2', '3', '#'};
    HANDLE_ tapi = 0;
    if (what == 1) {
        event(line, 0, 8, 1, 0, 0);
        event(line, 0, LINE_NEWCALL, 2, (uintptr_t)&tapi, 0);
        event(line, tapi, LINE_CALLSTATE, OFFERING, 0, 4);
    } else if (what == 5) {
        memcpy(digits, gathered, sizeof gathered);
        event(line, 1, LINE_GATHERDIGITS, 1, 5, 0);
    } else if (what == 8) {
        *completion_id = 4711;
        completion(8, 0);
    }
    return 0;
}
