/* A provider with one line, on which every call is answered at once. "Writing a provider" in
 * README.md explains it. The rules that it keeps are named by their keys. */
#include <pthread.h>
#include <stdint.h>

#include <ringback/tspi.h>

#define VERSION 0x00020000u /* TSPI 2.0 */
#define ROOM 64

/* A message to TAPI: a completion if id is not 0, else a state of the call. */
struct message {
    DRV_REQUESTID id;
    LONG result;
    DWORD state;
    unsigned serial; /* of the call */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t teller;
static ASYNC_COMPLETION completion; /* set between init and shutdown */
static LINEEVENT line_event;        /* set while the line is open */
static HTAPILINE tapi_line;
static unsigned opening;    /* of the line, the last one */
static HTAPICALL tapi_call; /* set while there is a call */
static unsigned serial;     /* of the last call: states of earlier ones are not reported */
static DWORD call_state;
static struct message queue[ROOM];
static unsigned head, tail; /* only counted up; the difference is the number of messages */
static int telling, ending;

/* Handles are numbers that are counted up from 1: never NULL (N2), and none is given out twice. So
 * a function that comes late, because another thread has closed the line or the call meanwhile, is
 * refused. Both functions are called with the lock held. */
static int is_open(HDRVLINE line)
{
    return line_event != NULL && (uintptr_t)line == opening;
}

static int is_live(HDRVCALL call)
{
    return tapi_call != NULL && (uintptr_t)call == serial;
}

/* The one thread that calls TAPI: upcalls never nest nor overlap (C6), and no lock is held. */
static void *tell(void *nothing)
{
    (void)nothing;
    pthread_mutex_lock(&lock);
    while (!ending || head != tail) {
        if (head == tail) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        struct message message = queue[head++ % ROOM];
        HTAPICALL call = message.serial == serial ? tapi_call : NULL;
        LINEEVENT event = line_event;
        telling = 1;
        pthread_mutex_unlock(&lock);
        if (message.id != 0)
            completion(message.id, message.result);
        else if (call != NULL)
            event(tapi_line, call, LINE_CALLSTATE, message.state, 0, LINEMEDIAMODE_UNKNOWN);
        pthread_mutex_lock(&lock);
        telling = 0;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Queues a message; with the lock held. */
static void say(DRV_REQUESTID id, LONG result, DWORD state)
{
    struct message message = {id, result, state, serial};
    queue[tail++ % ROOM] = message;
    pthread_cond_broadcast(&changed);
}

/* Whether there is room for the messages of one function; with the lock held. */
static int has_room(void)
{
    return tail - head <= ROOM - 4;
}

/* Waits until all messages are delivered (D1, D2, D5), unless TAPI calls from inside an upcall;
 * with the lock held. */
static void settle(void)
{
    while (!pthread_equal(pthread_self(), teller) && (head != tail || telling))
        pthread_cond_wait(&changed, &lock);
}

LONG TSPIAPI TSPI_lineNegotiateTSPIVersion(DWORD device, DWORD low, DWORD high, LPDWORD version)
{
    if (device != 0 && device != INITIALIZE_NEGOTIATION)
        return LINEERR_NODEVICE;
    if (low > VERSION || high < VERSION)
        return LINEERR_INCOMPATIBLEAPIVERSION;
    *version = VERSION;
    return 0;
}

LONG TSPIAPI TSPI_providerEnumDevices(DWORD id, LPDWORD lines, LPDWORD phones, HPROVIDER provider,
                                      LINEEVENT line_created, PHONEEVENT phone_created)
{
    (void)id, (void)provider, (void)line_created, (void)phone_created;
    *lines = 1;
    *phones = 0;
    return 0;
}

LONG TSPIAPI TSPI_providerInit(DWORD version, DWORD id, DWORD line_base, DWORD phone_base,
                               DWORD_PTR lines, DWORD_PTR phones, ASYNC_COMPLETION procedure,
                               LPDWORD options)
{
    (void)version, (void)id, (void)line_base, (void)phone_base, (void)lines, (void)phones;
    if (completion != NULL)
        return 0; /* D15: initialised already */
    ending = 0;
    completion = procedure;
    if (pthread_create(&teller, NULL, tell, NULL) != 0) {
        completion = NULL;
        return LINEERR_RESOURCEUNAVAIL;
    }
    *options = 0; /* any function may be called from several threads (G8) */
    return 0;
}

LONG TSPIAPI TSPI_providerShutdown(DWORD version, DWORD id)
{
    (void)version, (void)id;
    pthread_mutex_lock(&lock);
    ending = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    /* What is queued is delivered before, and nothing afterwards (D12). */
    pthread_join(teller, NULL);
    completion = NULL;
    return 0;
}

LONG TSPIAPI TSPI_lineGetDevCaps(DWORD device, DWORD version, DWORD extension, LPLINEDEVCAPS caps)
{
    const DWORD fixed = (DWORD)offsetof(LINEDEVCAPS, PermanentLineGuid); /* what 2.0 has */
    DWORD total = caps->dwTotalSize;

    (void)version, (void)extension;
    if (device != 0)
        return LINEERR_NODEVICE;
    if (total < fixed)
        return LINEERR_STRUCTURETOOSMALL;
    /* TAPI has cleared it, and dwTotalSize is TAPI's (V1, B4). */
    caps->dwNeededSize = caps->dwUsedSize = fixed;
    caps->dwNumAddresses = 1;
    caps->dwMaxNumActiveCalls = 1;
    caps->dwBearerModes = LINEBEARERMODE_VOICE;
    caps->dwMediaModes = LINEMEDIAMODE_INTERACTIVEVOICE;
    caps->dwLineFeatures = LINEFEATURE_MAKECALL;
    return 0;
}

LONG TSPIAPI TSPI_lineOpen(DWORD device, HTAPILINE tapi, LPHDRVLINE handle, DWORD version,
                           LINEEVENT procedure)
{
    LONG result = 0;

    (void)version;
    if (device != 0)
        return LINEERR_NODEVICE;
    pthread_mutex_lock(&lock);
    if (line_event != NULL) {
        result = LINEERR_ALLOCATED;
    } else {
        tapi_line = tapi;
        line_event = procedure;
        *handle = (HDRVLINE)(uintptr_t)++opening;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineClose(HDRVLINE line)
{
    LONG result = 0;

    pthread_mutex_lock(&lock);
    settle();
    if (is_open(line)) {
        tapi_call = NULL;
        line_event = NULL;
    } else {
        result = LINEERR_INVALLINEHANDLE;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineGetLineDevStatus(HDRVLINE line, LPLINEDEVSTATUS status)
{
    int open;

    pthread_mutex_lock(&lock);
    open = is_open(line);
    pthread_mutex_unlock(&lock);
    if (!open)
        return LINEERR_INVALLINEHANDLE;
    if (status->dwTotalSize < sizeof *status)
        return LINEERR_STRUCTURETOOSMALL;
    status->dwNeededSize = status->dwUsedSize = sizeof *status;
    status->dwDevStatusFlags = LINEDEVSTATUSFLAGS_CONNECTED | LINEDEVSTATUSFLAGS_INSERVICE;
    return 0;
}

LONG TSPIAPI TSPI_lineMakeCall(DRV_REQUESTID id, HDRVLINE line, HTAPICALL tapi, LPHDRVCALL handle,
                               LPCWSTR address, DWORD country, LPLINECALLPARAMS const parameters)
{
    LONG result = (LONG)id;

    (void)address, (void)country, (void)parameters;
    pthread_mutex_lock(&lock);
    /* Refused: no completion comes (R4). */
    if (!is_open(line)) {
        result = LINEERR_INVALLINEHANDLE;
    } else if (tapi_call != NULL || !has_room()) {
        result = LINEERR_CALLUNAVAIL;
    } else {
        /* The handle is written before any message (N1), the completion comes before the first
         * state (O1), and the function returns its id (R1). */
        tapi_call = tapi;
        *handle = (HDRVCALL)(uintptr_t)++serial;
        call_state = LINECALLSTATE_CONNECTED;
        say(id, 0, 0);
        say(0, 0, LINECALLSTATE_PROCEEDING);
        say(0, 0, LINECALLSTATE_CONNECTED);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

/* Accepts digits while the call is connected. */
LONG TSPIAPI TSPI_lineDial(DRV_REQUESTID id, HDRVCALL call, LPCWSTR address, DWORD country)
{
    LONG result = (LONG)id;

    (void)address, (void)country;
    pthread_mutex_lock(&lock);
    if (!is_live(call))
        result = LINEERR_INVALCALLHANDLE;
    else if (!has_room())
        result = LINEERR_RESOURCEUNAVAIL;
    else
        say(id, 0, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineDrop(DRV_REQUESTID id, HDRVCALL call, LPCSTR information, DWORD size)
{
    LONG result = (LONG)id;

    (void)information, (void)size;
    pthread_mutex_lock(&lock);
    if (!is_live(call)) {
        result = LINEERR_INVALCALLHANDLE;
    } else if (call_state == LINECALLSTATE_IDLE) {
        result = LINEERR_INVALCALLSTATE; /* D9 */
    } else if (!has_room()) {
        result = LINEERR_RESOURCEUNAVAIL;
    } else {
        call_state = LINECALLSTATE_IDLE;
        say(id, 0, 0);
        say(0, 0, LINECALLSTATE_IDLE);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineCloseCall(HDRVCALL call)
{
    LONG result = 0;

    pthread_mutex_lock(&lock);
    settle();
    if (is_live(call))
        tapi_call = NULL;
    else
        result = LINEERR_INVALCALLHANDLE;
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineGetCallStatus(HDRVCALL call, LPLINECALLSTATUS status)
{
    LONG result = 0;

    if (status->dwTotalSize < sizeof *status)
        return LINEERR_STRUCTURETOOSMALL;
    pthread_mutex_lock(&lock);
    if (is_live(call)) {
        status->dwNeededSize = status->dwUsedSize = sizeof *status;
        status->dwCallState = call_state;
        status->dwCallFeatures = call_state == LINECALLSTATE_CONNECTED ? LINECALLFEATURE_DROP : 0;
    } else {
        result = LINEERR_INVALCALLHANDLE;
    }
    pthread_mutex_unlock(&lock);
    return result;
}
