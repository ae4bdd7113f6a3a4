/* A provider with typical mistakes, as of an author who has not read the documents: everything
 * happens inside the functions, on the caller's thread. Each mistake is marked with the key of the
 * rule that it breaks; everything else is right. */
#include <stdlib.h>
#include <string.h>

#include <ringback/tspi.h>

static ASYNC_COMPLETION completion;
static LINEEVENT line_event;
static HTAPILINE tapi_line;
static HTAPICALL tapi_call;
static DWORD state;
static LPCWSTR last_number;
static unsigned digits;
static int line, call;

#ifdef RELIES
/* It relies on TAPI to let one function in at a time, as it asks for in its init. */
#include <stdatomic.h>
#include <stdbool.h>
#include <threads.h>

enum { LINES = 4 };
static atomic_bool inside;

static void enter(void)
{
    if (atomic_exchange(&inside, true))
        abort();
    thrd_sleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    atomic_store(&inside, false);
}
#else
enum { LINES = 1 };

static void enter(void)
{
}
#endif

static void tell(DWORD now)
{
    state = now;
    line_event(tapi_line, tapi_call, LINE_CALLSTATE, now, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
}

/* V1: it is version 2.0, whatever is offered. */
LONG TSPIAPI TSPI_lineNegotiateTSPIVersion(DWORD device, DWORD low, DWORD high, LPDWORD version)
{
    (void)device, (void)low, (void)high;
    *version = 0x00020000;
    return 0;
}

LONG TSPIAPI TSPI_providerEnumDevices(DWORD id, LPDWORD lines, LPDWORD phones, HPROVIDER provider,
                                      LINEEVENT line_created, PHONEEVENT phone_created)
{
    (void)id, (void)provider, (void)line_created, (void)phone_created;
    *lines = LINES;
    *phones = 0;
    return 0;
}

/* D15: a second init is an error. */
LONG TSPIAPI TSPI_providerInit(DWORD version, DWORD id, DWORD line_base, DWORD phone_base,
                               DWORD_PTR lines, DWORD_PTR phones, ASYNC_COMPLETION procedure,
                               LPDWORD options)
{
    (void)version, (void)id, (void)line_base, (void)phone_base, (void)lines, (void)phones;
    if (completion != NULL)
        return LINEERR_OPERATIONFAILED;
    completion = procedure;
    *options = LINETSPIOPTION_NONREENTRANT;
    return 0;
}

LONG TSPIAPI TSPI_providerShutdown(DWORD version, DWORD id)
{
    (void)version, (void)id;
    completion = NULL;
    line_event = NULL;
    tapi_call = NULL;
    return 0;
}

LONG TSPIAPI TSPI_lineOpen(DWORD device, HTAPILINE tapi, LPHDRVLINE handle, DWORD version,
                           LINEEVENT procedure)
{
    (void)device, (void)version;
    enter();
    if (line_event != NULL)
        return LINEERR_ALLOCATED;
    line_event = procedure;
    tapi_line = tapi;
    *handle = (HDRVLINE)(void *)&line;
    return 0;
}

LONG TSPIAPI TSPI_lineClose(HDRVLINE handle)
{
    (void)handle;
    tapi_call = NULL;
    line_event = NULL;
    return 0;
}

LONG TSPIAPI TSPI_lineGetNumAddressIDs(HDRVLINE handle, LPDWORD count)
{
    (void)handle;
#ifdef CRASHES
    count = NULL;
    __asm__ volatile("" : "+r"(count));
#endif
#ifdef EXITS
    exit(3);
#endif
    *count = 1;
    return 0;
}

LONG TSPIAPI TSPI_lineMakeCall(DRV_REQUESTID id, HDRVLINE handle, HTAPICALL tapi,
                               LPHDRVCALL place, LPCWSTR number, DWORD country,
                               LPLINECALLPARAMS const parameters)
{
    (void)handle, (void)country, (void)parameters;
    if (tapi_call != NULL)
        return LINEERR_CALLUNAVAIL;
    tapi_call = tapi;
    last_number = number; /* B1: not the number, but where it was */
    *place = (HDRVCALL)(void *)&call;
    completion(id, 0);
    tell(LINECALLSTATE_CONNECTED);
    return (LONG)id;
}

/* R2: there is nothing to do, so it is done. */
LONG TSPIAPI TSPI_lineDial(DRV_REQUESTID id, HDRVCALL handle, LPCWSTR number, DWORD country)
{
    (void)id, (void)handle, (void)number, (void)country;
    return state == LINECALLSTATE_IDLE ? LINEERR_INVALCALLSTATE : 0;
}

/* O3: it reports that the other party is disconnected after the call is over. */
LONG TSPIAPI TSPI_lineDrop(DRV_REQUESTID id, HDRVCALL handle, LPCSTR information, DWORD size)
{
    (void)handle, (void)information, (void)size;
    if (state == LINECALLSTATE_IDLE)
        return LINEERR_INVALCALLSTATE;
    completion(id, 0);
    tell(LINECALLSTATE_IDLE);
    tell(LINECALLSTATE_DISCONNECTED);
    state = LINECALLSTATE_IDLE;
    return (LONG)id;
}

LONG TSPIAPI TSPI_lineCloseCall(HDRVCALL handle)
{
    (void)handle;
    tapi_call = NULL;
    return 0;
}

/* B1: now it looks at the number. B4: it clears what it does not know, TAPI's members too. */
LONG TSPIAPI TSPI_lineGetCallStatus(HDRVCALL handle, LPLINECALLSTATUS status)
{
    (void)handle;
    digits = last_number != NULL && last_number[0] != 0;
    memset((char *)status + sizeof(DWORD), 0, sizeof *status - sizeof(DWORD));
    status->dwNeededSize = status->dwUsedSize = sizeof *status;
    status->dwCallState = state;
    return 0;
}

/* B3: it says that it has used what it would have needed. */
LONG TSPIAPI TSPI_lineGetCallInfo(HDRVCALL handle, LPLINECALLINFO info)
{
    (void)handle;
    info->dwNeededSize = info->dwUsedSize = sizeof *info + 2000;
    return 0;
}
