/* A provider with everything that the conformance suite can exercise: three lines, on which
 * every call is answered, and a phone. It keeps every rule, so each finding behind an interposer is
 * caused by the interposer. The far end acts when a file appears: DOOR/ring.PID or
 * DOOR/remove.PID, with the process's id, where DOOR is the environment variable WHOLE_DOOR. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ringback/tspi.h>

#define VERSION 0x00020000u /* TSPI 2.0 */
#define LINES 3
#define RUNG 1    /* the line on which calls come in */
#define REMOVED 2 /* the line that goes away */
#define ROOM 256

/* What is to be delivered, in order: a completion if id is not 0, else a message. */
struct message {
    DRV_REQUESTID id;
    LONG result;
    int line; /* or -1: of the provider */
    int of_call;
    unsigned serial; /* of the call */
    DWORD message;
    DWORD_PTR one, two, three;
};

/* What is outstanding. */
struct request {
    DRV_REQUESTID id; /* 0: free */
    long long due;    /* milliseconds */
    int line;         /* or -1: of the phone */
    unsigned serial;  /* of its call, or 0 */
    LONG result;
    DWORD state;   /* of the call, once it is complete */
    DWORD *number; /* filled before, or NULL */
    LPVARSTRING text;
};

struct line {
    LINEEVENT event; /* NULL: not open */
    HTAPILINE tapi;
    HTAPICALL call;
    unsigned serial; /* of the call, or 0 */
    DWORD state;
    int monitored, rung;
    DWORD generating, gathering; /* dwEndToEndID */
    long long generated, gathered; /* when they end; 0: nothing runs */
    LPWSTR digits;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t teller;
static ASYNC_COMPLETION completion;
static LINEEVENT created;
static PHONEEVENT phone_event;
static struct line lines[LINES];
static struct request requests[ROOM];
static struct message queue[ROOM];
static unsigned head, tail, serials;
static int telling, ending;
static char handles[2 * LINES + 1];
#define PHONE_HANDLE ((HDRVPHONE)(void *)&handles[2 * LINES])

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int line_of(HDRVLINE handle)
{
    for (int i = 0; i < LINES; i++)
        if ((void *)handle == &handles[i] && lines[i].event != NULL)
            return i;
    return -1;
}

static int call_of(HDRVCALL handle)
{
    for (int i = 0; i < LINES; i++)
        if ((void *)handle == &handles[LINES + i] && lines[i].serial != 0)
            return i;
    return -1;
}

static void say(struct message message)
{
    queue[tail++ % ROOM] = message;
    pthread_cond_broadcast(&changed);
}

static void say_line(int line, DWORD message, DWORD_PTR one, DWORD_PTR two)
{
    say((struct message){.line = line, .message = message, .one = one, .two = two});
}

static void say_call(int line, DWORD message, DWORD_PTR one, DWORD_PTR two, DWORD_PTR three)
{
    say((struct message){.line = line, .of_call = 1, .serial = lines[line].serial,
                         .message = message, .one = one, .two = two, .three = three});
}

static void say_state(int line, DWORD state)
{
    lines[line].state = state;
    say_call(line, LINE_CALLSTATE, state, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
}

/* What runs on the call ends (D17, D18). */
static void end_generating(int line, DWORD why)
{
    if (lines[line].generated)
        say_call(line, LINE_GENERATE, why, lines[line].generating, 0);
    lines[line].generated = 0;
}

static void end_gathering(int line, DWORD why)
{
    if (lines[line].gathered) {
        lines[line].digits[0] = 0;
        say_call(line, LINE_GATHERDIGITS, why, lines[line].gathering, 0);
    }
    lines[line].gathered = 0;
}

static void idle(int line)
{
    end_generating(line, LINEGENERATETERM_CANCEL);
    end_gathering(line, LINEGATHERTERM_CANCEL);
    lines[line].monitored = 0;
    say_state(line, LINECALLSTATE_IDLE);
}

/* Completes a request: its output first (C13), then its completion, then what follows (O1). */
static void finish(struct request *request, LONG result)
{
    struct request it = *request;
    request->id = 0;
    if (result == 0 && it.number != NULL)
        *it.number = 7;
    if (result == 0 && it.text != NULL) {
        it.text->dwUsedSize = it.text->dwNeededSize = sizeof *it.text + 4;
        it.text->dwStringFormat = 4;
        it.text->dwStringSize = 4;
        it.text->dwStringOffset = sizeof *it.text;
        memcpy((char *)it.text + sizeof *it.text, "7\0\0", 4);
    }
    say((struct message){.id = it.id, .result = result});
    if (result != 0 || it.state == 0 || it.line < 0 || lines[it.line].serial != it.serial)
        return;
    if (it.state == LINECALLSTATE_IDLE) {
        idle(it.line);
    } else {
        if (!lines[it.line].rung)
            say_state(it.line, LINECALLSTATE_PROCEEDING);
        say_state(it.line, it.state);
    }
}

/* What is outstanding of these fails; line -1 is the phone, serial 0 every call. */
static void fail(int line, unsigned serial, DRV_REQUESTID but)
{
    for (int i = 0; i < ROOM; i++)
        if (requests[i].id != 0 && requests[i].id != but && requests[i].line == line
            && (serial == 0 || requests[i].serial == serial))
            finish(&requests[i], LINEERR_OPERATIONFAILED);
}

/* Waits until everything is delivered, unless TAPI calls from inside an upcall. */
static void settle(void)
{
    while (!pthread_equal(pthread_self(), teller) && (head != tail || telling))
        pthread_cond_wait(&changed, &lock);
}

static int knocks(const char *what)
{
    const char *door = getenv("WHOLE_DOOR");
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%d", door ? door : "", what, (int)getpid());
    return door != NULL && unlink(path) == 0;
}

static void tell_one(struct message it)
{
    struct line *line = it.line >= 0 ? &lines[it.line] : NULL;
    LINEEVENT event = line ? line->event : created;
    HTAPILINE tapi = line ? line->tapi : NULL;
    HTAPICALL call = line && it.of_call ? line->call : NULL;
    int is_dead = it.of_call && (line->serial != it.serial || call == NULL);
    if (it.id == 0 && it.message == LINE_NEWCALL)
        is_dead = line->serial != it.serial;
    if (it.id == 0 && (event == NULL || is_dead))
        return;
    telling = 1;
    pthread_mutex_unlock(&lock);
    if (it.id != 0) {
        completion(it.id, it.result);
    } else if (it.message == LINE_NEWCALL) {
        HTAPICALL given = NULL;
        event(tapi, NULL, LINE_NEWCALL, (DWORD_PTR)&handles[LINES + it.line],
              (DWORD_PTR)&given, 0);
        pthread_mutex_lock(&lock);
        if (line->serial == it.serial) {
            line->call = given;
            if (given == NULL) /* N15 */
                line->serial = 0;
            else
                say_state(it.line, LINECALLSTATE_OFFERING);
        }
        pthread_mutex_unlock(&lock);
    } else {
        event(tapi, call, it.message, it.one, it.two, it.three);
    }
    pthread_mutex_lock(&lock);
    telling = 0;
    pthread_cond_broadcast(&changed);
}

static void look_around(void)
{
    for (int i = 0; i < ROOM; i++)
        if (requests[i].id != 0 && requests[i].due <= now())
            finish(&requests[i], requests[i].result);
    for (int i = 0; i < LINES; i++) {
        if (lines[i].generated && lines[i].generated <= now())
            end_generating(i, LINEGENERATETERM_DONE);
        if (lines[i].gathered && lines[i].gathered <= now())
            end_gathering(i, LINEGATHERTERM_FIRSTTIMEOUT);
    }
    if (knocks("ring") && lines[RUNG].event != NULL && lines[RUNG].serial == 0) {
        lines[RUNG].serial = ++serials;
        lines[RUNG].call = NULL;
        lines[RUNG].rung = 1;
        lines[RUNG].state = LINECALLSTATE_OFFERING;
        say((struct message){.line = RUNG, .serial = serials, .message = LINE_NEWCALL});
    }
    if (knocks("remove") && lines[REMOVED].event != NULL) {
        fail(REMOVED, 0, 0); /* D13 */
        say_line(REMOVED, LINE_CLOSE, 0, 0);
        say((struct message){.line = -1, .message = LINE_REMOVE, .one = REMOVED}); /* D14 */
    }
}

/* The one thread that calls TAPI, but for TSPI_lineSetTerminal. */
static void *tell(void *nothing)
{
    (void)nothing;
    pthread_mutex_lock(&lock);
    while (!ending || head != tail) {
        struct timespec until;
        look_around();
        if (head != tail) {
            struct message message = queue[head++ % ROOM];
            tell_one(message);
            continue;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 4000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&changed, &lock, &until);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Takes a request; with the lock held. */
static LONG take(struct request request, int delay)
{
    if (tail - head > ROOM / 2)
        return LINEERR_RESOURCEUNAVAIL;
    for (int i = 0; i < ROOM / 4; i++)
        if (requests[i].id == 0) {
            request.due = now() + delay;
            requests[i] = request;
            return (LONG)request.id;
        }
    return LINEERR_RESOURCEUNAVAIL;
}

static LONG take_line(DRV_REQUESTID id, HDRVLINE handle)
{
    pthread_mutex_lock(&lock);
    int line = line_of(handle);
    LONG result = line < 0 ? LINEERR_INVALLINEHANDLE
                           : take((struct request){.id = id, .line = line}, 25);
    pthread_mutex_unlock(&lock);
    return result;
}

static LONG take_call(HDRVCALL handle, struct request request, int delay)
{
    pthread_mutex_lock(&lock);
    int line = call_of(handle);
    LONG result = LINEERR_INVALCALLHANDLE;
    if (line >= 0) {
        request.line = line;
        request.serial = lines[line].serial;
        result = lines[line].state == LINECALLSTATE_IDLE ? LINEERR_INVALCALLSTATE
                                                         : take(request, delay);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static LONG negotiate(DWORD low, DWORD high, LPDWORD version)
{
    if (low > VERSION || high < VERSION)
        return LINEERR_INCOMPATIBLEAPIVERSION;
    *version = VERSION;
    return 0;
}

LONG TSPIAPI TSPI_lineNegotiateTSPIVersion(DWORD device, DWORD low, DWORD high, LPDWORD version)
{
    return device >= LINES && device != INITIALIZE_NEGOTIATION ? LINEERR_NODEVICE
                                                               : negotiate(low, high, version);
}

LONG TSPIAPI TSPI_phoneNegotiateTSPIVersion(DWORD device, DWORD low, DWORD high, LPDWORD version)
{
    return device != 0 ? PHONEERR_NODEVICE : negotiate(low, high, version);
}

LONG TSPIAPI TSPI_providerEnumDevices(DWORD id, LPDWORD count, LPDWORD phones, HPROVIDER provider,
                                      LINEEVENT line_created, PHONEEVENT phone_created)
{
    (void)id, (void)provider, (void)phone_created;
    created = line_created;
    *count = LINES;
    *phones = 1;
    return 0;
}

LONG TSPIAPI TSPI_providerInit(DWORD version, DWORD id, DWORD line_base, DWORD phone_base,
                               DWORD_PTR count, DWORD_PTR phones, ASYNC_COMPLETION procedure,
                               LPDWORD options)
{
    (void)version, (void)id, (void)line_base, (void)phone_base, (void)count, (void)phones;
    if (completion != NULL)
        return 0; /* D15 */
    ending = 0;
    completion = procedure;
    *options = 0;
    return pthread_create(&teller, NULL, tell, NULL) == 0 ? 0 : LINEERR_RESOURCEUNAVAIL;
}

LONG TSPIAPI TSPI_providerShutdown(DWORD version, DWORD id)
{
    (void)version, (void)id;
    pthread_mutex_lock(&lock);
    for (int i = -1; i < LINES; i++)
        fail(i, 0, 0);
    ending = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(teller, NULL);
    memset(lines, 0, sizeof lines);
    phone_event = NULL;
    completion = NULL;
    return 0;
}

LONG TSPIAPI TSPI_lineOpen(DWORD device, HTAPILINE tapi, LPHDRVLINE handle, DWORD version,
                           LINEEVENT procedure)
{
    (void)version;
    if (device >= LINES)
        return LINEERR_NODEVICE;
    pthread_mutex_lock(&lock);
    int is_open = lines[device].event != NULL;
    if (!is_open) {
        lines[device] = (struct line){.event = procedure, .tapi = tapi};
        *handle = (HDRVLINE)(void *)&handles[device];
    }
    pthread_mutex_unlock(&lock);
    return is_open ? LINEERR_ALLOCATED : 0;
}

LONG TSPIAPI TSPI_lineClose(HDRVLINE handle)
{
    pthread_mutex_lock(&lock);
    int line = line_of(handle);
    if (line >= 0) {
        fail(line, 0, 0);
        settle();
        lines[line] = (struct line){0};
    }
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALLINEHANDLE : 0;
}

LONG TSPIAPI TSPI_lineCloseCall(HDRVCALL handle)
{
    pthread_mutex_lock(&lock);
    int line = call_of(handle);
    if (line >= 0) {
        fail(line, lines[line].serial, 0); /* N6 */
        settle();
        lines[line].serial = lines[line].monitored = 0;
        lines[line].generated = lines[line].gathered = 0;
        lines[line].call = NULL;
    }
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALCALLHANDLE : 0;
}

LONG TSPIAPI TSPI_lineMakeCall(DRV_REQUESTID id, HDRVLINE handle, HTAPICALL tapi,
                               LPHDRVCALL place, LPCWSTR address, DWORD country,
                               LPLINECALLPARAMS const parameters)
{
    LONG result = 0;
    (void)country, (void)parameters;
    for (LPCWSTR c = address; c != NULL && *c != 0 && result == 0; c++) /* R7 */
        result = *c == '$' ? LINEERR_DIALBILLING : *c == '@' ? LINEERR_DIALQUIET
               : *c == 'W' ? LINEERR_DIALDIALTONE : *c == '?' ? LINEERR_DIALPROMPT : 0;
    if (result != 0)
        return result;
    pthread_mutex_lock(&lock);
    int line = line_of(handle);
    if (line < 0) {
        result = LINEERR_INVALLINEHANDLE;
    } else if (lines[line].serial != 0) {
        result = LINEERR_CALLUNAVAIL;
    } else {
        struct request request = {.id = id, .line = line, .serial = ++serials,
                                  .state = LINECALLSTATE_CONNECTED};
        if (address != NULL && address[0] == '0' && address[1] == 0)
            request.result = LINEERR_INVALADDRESS;
        result = take(request, 40);
        if (result == (LONG)id) {
            lines[line].serial = serials;
            lines[line].call = tapi;
            lines[line].state = LINECALLSTATE_DIALTONE;
            lines[line].rung = lines[line].monitored = 0;
            *place = (HDRVCALL)(void *)&handles[LINES + line];
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_lineAnswer(DRV_REQUESTID id, HDRVCALL call, LPCSTR information, DWORD size)
{
    (void)information, (void)size;
    return take_call(call, (struct request){.id = id, .state = LINECALLSTATE_CONNECTED}, 10);
}

LONG TSPIAPI TSPI_lineDial(DRV_REQUESTID id, HDRVCALL call, LPCWSTR address, DWORD country)
{
    (void)address, (void)country;
    return take_call(call, (struct request){.id = id}, 25);
}

LONG TSPIAPI TSPI_lineDrop(DRV_REQUESTID id, HDRVCALL call, LPCSTR information, DWORD size)
{
    (void)information, (void)size;
    LONG result = take_call(call, (struct request){.id = id, .state = LINECALLSTATE_IDLE}, 10);
    if (result == (LONG)id) {
        pthread_mutex_lock(&lock);
        int line = call_of(call);
        if (line >= 0)
            fail(line, lines[line].serial, id); /* D7 */
        pthread_mutex_unlock(&lock);
    }
    return result;
}

LONG TSPIAPI TSPI_lineCompleteCall(DRV_REQUESTID id, HDRVCALL call, LPDWORD number, DWORD mode,
                                   DWORD message)
{
    (void)mode, (void)message;
    return take_call(call, (struct request){.id = id, .number = number}, 10);
}

LONG TSPIAPI TSPI_linePark(DRV_REQUESTID id, HDRVCALL call, DWORD mode, LPCWSTR address,
                           LPVARSTRING text)
{
    (void)mode, (void)address;
    return take_call(call, (struct request){.id = id, .text = text}, 10);
}

LONG TSPIAPI TSPI_lineDevSpecific(DRV_REQUESTID id, HDRVLINE line, DWORD address, HDRVCALL call,
                                  LPVOID parameters, DWORD size)
{
    (void)address, (void)parameters, (void)size;
    /* With a call it is outstanding on that call too (D5, D7). */
    return call != NULL ? take_call(call, (struct request){.id = id}, 25) : take_line(id, line);
}

LONG TSPIAPI TSPI_lineUncompleteCall(DRV_REQUESTID id, HDRVLINE line, DWORD number)
{
    (void)number;
    return take_line(id, line);
}

/* It completes inside itself (C4, C5): nothing is to be done, and no lock is held. */
LONG TSPIAPI TSPI_lineSetTerminal(DRV_REQUESTID id, HDRVLINE handle, DWORD address, HDRVCALL call,
                                  DWORD select, DWORD modes, DWORD terminal, DWORD enable)
{
    (void)address, (void)call, (void)select, (void)modes, (void)terminal, (void)enable;
    pthread_mutex_lock(&lock);
    int line = line_of(handle);
    pthread_mutex_unlock(&lock);
    if (line < 0)
        return LINEERR_INVALLINEHANDLE;
    completion(id, 0);
    return (LONG)id;
}

LONG TSPIAPI TSPI_lineGenerateDigits(HDRVCALL call, DWORD id, DWORD mode, LPCWSTR digits,
                                     DWORD duration)
{
    (void)mode, (void)duration;
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    if (line >= 0) {
        end_generating(line, LINEGENERATETERM_CANCEL);
        if (digits != NULL) {
            lines[line].generating = id;
            lines[line].generated = now() + 60;
        }
    }
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALCALLHANDLE : 0;
}

LONG TSPIAPI TSPI_lineGatherDigits(HDRVCALL call, DWORD id, DWORD modes, LPWSTR digits,
                                   DWORD count, LPCWSTR terminators, DWORD first, DWORD inter)
{
    (void)modes, (void)terminators, (void)inter;
    if (digits != NULL && count == 0)
        return LINEERR_INVALPARAM;
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    if (line >= 0) {
        end_gathering(line, LINEGATHERTERM_CANCEL);
        if (digits != NULL) {
            lines[line].digits = digits;
            lines[line].gathering = id;
            lines[line].gathered = now() + first / 4 + 1;
        }
    }
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALCALLHANDLE : 0;
}

LONG TSPIAPI TSPI_lineMonitorDigits(HDRVCALL call, DWORD modes)
{
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    if (line >= 0)
        lines[line].monitored = modes != 0;
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALCALLHANDLE : 0;
}

LONG TSPIAPI TSPI_lineMonitorTones(HDRVCALL call, DWORD id, LPLINEMONITORTONE const tones,
                                   DWORD count)
{
    (void)id, (void)tones, (void)count;
    return TSPI_lineMonitorDigits(call, 1);
}

LONG TSPIAPI TSPI_lineGetCallStatus(HDRVCALL call, LPLINECALLSTATUS status)
{
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    if (line >= 0) {
        status->dwNeededSize = status->dwUsedSize = sizeof *status;
        status->dwCallState = lines[line].state;
        status->dwCallFeatures =
            lines[line].state == LINECALLSTATE_IDLE ? 0 : LINECALLFEATURE_DROP; /* F1 */
    }
    pthread_mutex_unlock(&lock);
    return line < 0 ? LINEERR_INVALCALLHANDLE : 0;
}

LONG TSPIAPI TSPI_lineGetCallInfo(HDRVCALL call, LPLINECALLINFO info)
{
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    pthread_mutex_unlock(&lock);
    if (line < 0)
        return LINEERR_INVALCALLHANDLE;
    info->dwNeededSize = info->dwUsedSize = sizeof *info;
    info->dwLineDeviceID = (DWORD)line;
    return 0;
}

LONG TSPIAPI TSPI_lineGetCallAddressID(HDRVCALL call, LPDWORD address)
{
    pthread_mutex_lock(&lock);
    int line = call_of(call);
    pthread_mutex_unlock(&lock);
    if (line < 0)
        return LINEERR_INVALCALLHANDLE;
    *address = 0;
    return 0;
}

LONG TSPIAPI TSPI_lineGetNumAddressIDs(HDRVLINE handle, LPDWORD count)
{
    pthread_mutex_lock(&lock);
    int line = line_of(handle);
    pthread_mutex_unlock(&lock);
    if (line < 0)
        return LINEERR_INVALLINEHANDLE;
    *count = 1;
    return 0;
}

LONG TSPIAPI TSPI_lineGetLineDevStatus(HDRVLINE line, LPLINEDEVSTATUS status)
{
    (void)line;
    status->dwNeededSize = status->dwUsedSize = sizeof *status;
    status->dwDevStatusFlags = LINEDEVSTATUSFLAGS_CONNECTED | LINEDEVSTATUSFLAGS_INSERVICE;
    return 0;
}

LONG TSPIAPI TSPI_phoneOpen(DWORD device, HTAPIPHONE tapi, LPHDRVPHONE phone, DWORD version,
                            PHONEEVENT procedure)
{
    (void)device, (void)tapi, (void)version;
    phone_event = procedure;
    *phone = PHONE_HANDLE;
    return 0;
}

LONG TSPIAPI TSPI_phoneClose(HDRVPHONE phone)
{
    (void)phone;
    pthread_mutex_lock(&lock);
    fail(-1, 0, 0);
    settle();
    phone_event = NULL;
    pthread_mutex_unlock(&lock);
    return 0;
}

static LONG take_phone(DRV_REQUESTID id)
{
    pthread_mutex_lock(&lock);
    LONG result = take((struct request){.id = id, .line = -1}, 25);
    pthread_mutex_unlock(&lock);
    return result;
}

LONG TSPIAPI TSPI_phoneSetLamp(DRV_REQUESTID id, HDRVPHONE phone, DWORD lamp, DWORD mode)
{
    (void)phone, (void)lamp, (void)mode;
    return take_phone(id);
}

LONG TSPIAPI TSPI_phoneSetDisplay(DRV_REQUESTID id, HDRVPHONE phone, DWORD row, DWORD column,
                                  LPCWSTR text, DWORD size)
{
    (void)phone, (void)row, (void)column, (void)text, (void)size;
    return take_phone(id);
}
