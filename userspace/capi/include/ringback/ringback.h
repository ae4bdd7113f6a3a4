/*
 * ringback/ringback.h: the host of telephony service providers, for C programs (libringback).
 *
 * A provider is a shared library that exports TSPI (ringback/tspi.h). The host loads it, and the
 * application opens its lines, makes and answers calls, and is told how requests end and what
 * happens. For C99, C11 and C++17.
 *
 * Results. Every function that returns int32_t returns 0, or a negative LINEERR_ of tspi.h with
 * nothing done. NULL where something is read or written is LINEERR_INVALPOINTER. A handle that is
 * dead, guessed or of something else is LINEERR_INVALAPPHANDLE (host), LINEERR_INVALLINEHANDLE or
 * LINEERR_INVALCALLHANDLE; a request that is not outstanding, made twice or of another line is
 * LINEERR_INVALPARAM. An address that is not UTF-8 is LINEERR_INVALADDRESS. Any function may be
 * called from any thread, from callbacks too.
 *
 * Requests. What takes time is a request: take an id by rb_request_new, store it, and hand it to
 * rb_call_make, rb_call_dial, rb_call_answer or rb_call_drop. If that returns 0, exactly one
 * LINE_REPLY with this id is told, and the id is free again; if it returns an error, none is, and
 * the id can be used again or given back by rb_request_free.
 *
 * What is told. Nothing of a request is told before the function that made it has returned, nor is
 * what follows on its line. A thread that is told its own requests can't be overtaken. Another
 * thread is told of a request when the thread that made it has called any other function of this
 * header or has ended, or when rb_request_release was called for the request. Callbacks neither
 * overlap nor nest. On one line they come in order; between lines there is no order.
 *
 * Closing. rb_line_close, rb_call_close and rb_host_shutdown wait until what they end is over, for
 * some seconds at most; LINEERR_OPERATIONFAILED says that something was left then. The requests
 * that they end are told as failed; no event of the line or call follows. Do not hold a lock across
 * them that a callback wants: the other thread can't return from it, so they end by their limit.
 */
#ifndef RINGBACK_RINGBACK_H
#define RINGBACK_RINGBACK_H

#include <ringback/tspi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Handles. Never 0, and never given out twice. */
typedef uint64_t rb_host;
typedef uint64_t rb_line;
typedef uint64_t rb_call;
/* 1 to 0x7FFFFFFF, unique while the request is outstanding. */
typedef uint32_t rb_request;

/* Something that is told. Later versions of the library may add members at the end. */
typedef struct rb_event {
    uint32_t size;       /* sizeof(rb_event) in the library */
    uint32_t message;    /* LINE_REPLY, LINE_APPNEWCALL, LINE_CALLSTATE, ... */
    rb_line line;
    rb_call call;        /* 0 if it is about no call */
    rb_request request;  /* LINE_REPLY: the request that is over; else 0 */
    int32_t result;      /* LINE_REPLY: 0 or a negative error */
    uint64_t params[3];  /* dwParam1 to dwParam3 of all other messages, as TSPI has them */
} rb_event;

RINGBACK_ASSERT(sizeof(rb_event) == 56, size_of_rb_event);
RINGBACK_ASSERT(offsetof(rb_event, line) == 8, rb_event_line);
RINGBACK_ASSERT(offsetof(rb_event, call) == 16, rb_event_call);
RINGBACK_ASSERT(offsetof(rb_event, request) == 24, rb_event_request);
RINGBACK_ASSERT(offsetof(rb_event, result) == 28, rb_event_result);
RINGBACK_ASSERT(offsetof(rb_event, params) == 32, rb_event_params);

/* How something is told. The event is gone when it returns. It must not throw. */
typedef void (*rb_callback)(void *context, const rb_event *event);

/* Hosts. */

/* Loads the provider at this path and starts it. */
int32_t rb_host_open(const char *provider, rb_host *host);
/* Why the last rb_host_open on this thread has failed, in words. Valid until the next one. */
const char *rb_failure(void);
/* A sentence about an error, for as long as the process lives. */
const char *rb_error_text(int32_t error);
/* How many lines there are. Their device ids are 0 to count - 1. */
int32_t rb_host_lines(rb_host host, uint32_t *count);
/* The name of a line for people, with its NUL; LINEERR_STRUCTURETOOSMALL if it does not fit. */
int32_t rb_host_line_name(rb_host host, uint32_t device_id, char *name, size_t size);
/* Closes all lines and ends the provider. What is left to tell can still be dispatched. */
int32_t rb_host_shutdown(rb_host host);
/* As rb_host_shutdown, and gives the host back. What was not told is dropped, and no callback runs
 * when this has returned. */
int32_t rb_host_free(rb_host host);

/* Being told. */

/* A descriptor to poll: while it is not readable there is nothing to dispatch. Only to be waited
 * for, neither to be read nor to be closed; it is closed by rb_host_free. */
int32_t rb_host_fd(rb_host host, int *fd);
/* Tells what there is to tell, on this thread, and returns. `told` may be NULL; else it is set to
 * the number of callbacks: 0 also if another thread is dispatching, or if this is called by a
 * callback. LINEERR_OPERATIONUNAVAIL after rb_host_deliver. */
int32_t rb_host_dispatch(rb_host host, rb_callback callback, void *context, uint32_t *told);
/* Has a thread of the host's tell everything from now on, until rb_host_free. */
int32_t rb_host_deliver(rb_host host, rb_callback callback, void *context);

/* Lines. */

/* Opens a line as its owner: it is told of incoming calls too (LINE_APPNEWCALL). */
int32_t rb_line_open(rb_host host, uint32_t device_id, rb_line *line);
/* Closes a line: its calls are hung up and closed. */
int32_t rb_line_close(rb_line line);
/* Sets in_service to 1 if the line works: an exchange feeds it, or it is a telephone's. Else 0. */
int32_t rb_line_in_service(rb_line line, int *in_service);

/* Requests. */

/* Takes an id for a request on this line, or on a call of this line. */
int32_t rb_request_new(rb_line line, rb_request *request);
/* The request may be told at any time from now on, on any thread: the id is stored. May be called
 * before or after the request is made. */
int32_t rb_request_release(rb_request request);
/* Gives back an id by which no request was made. */
int32_t rb_request_free(rb_request request);

/* Calls. Each that was made or announced is to be closed by rb_call_close. Until the LINE_REPLY of
 * rb_call_make nothing else can be done with the call (LINEERR_INVALCALLSTATE). */

/* Makes a call: TSPI_lineMakeCall. LINE_REPLY comes when the call exists, LINE_CALLSTATE follows.
 * An empty address takes the line and waits for rb_call_dial. */
int32_t rb_call_make(rb_request request, rb_line line, const char *address, rb_call *call);
/* Dials more: TSPI_lineDial. */
int32_t rb_call_dial(rb_request request, rb_call call, const char *address);
/* Answers a call that is offered: TSPI_lineAnswer. */
int32_t rb_call_answer(rb_request request, rb_call call);
/* Hangs up: TSPI_lineDrop. */
int32_t rb_call_drop(rb_request request, rb_call call);
/* Gives a call up in whatever state it is, and its handle back: TSPI_lineCloseCall. */
int32_t rb_call_close(rb_call call);
/* The state (LINECALLSTATE_) and its mode as the provider has them now. */
int32_t rb_call_state(rb_call call, uint32_t *state, uint32_t *mode);
/* The number of the party that calls, with its NUL; empty if it is not known. */
int32_t rb_call_caller(rb_call call, char *number, size_t size);
/* Sends DTMF digits, each of so many ms, 0 for the usual. LINE_GENERATE tells their end, with the
 * end-to-end id in params[1]. */
int32_t rb_call_generate_digits(rb_call call, const char *digits, uint32_t digit_ms,
                                uint32_t *end_to_end_id);
/* Tells the digits of the other side by LINE_MONITORDIGITS, or no more if on is 0. */
int32_t rb_call_monitor_digits(rb_call call, int on);

#ifdef __cplusplus
}
#endif

#endif
