/*
 * ringback/tspi.h: the interface between TAPI and a telephony service provider (TSPI).
 *
 * Made from Ringback's table of functions, constants and structures by `make header`; do not edit.
 * For C99, C11 and C++17. Names, numbers and layouts are those of TSPI 3.1; what the functions do
 * is in Ringback's documentation and in the TSPI reference.
 *
 * What differs from Windows: DWORD and LONG have 32 bits (T8), also where `long` has 64. Every
 * handle is as wide as a pointer. WCHAR is a unit of UTF-16, so L"..." is such a string only where
 * wchar_t has two bytes; elsewhere write u"..." (C11, C++11) or an array of numbers. Structures
 * have alignment 1, so a pointer to one may be odd.
 *
 * If RINGBACK_TSPI_NO_PROTOTYPES is defined before this is included, the prototypes are left out,
 * for sources that have their own.
 */
#ifndef RINGBACK_TSPI_H
#define RINGBACK_TSPI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define RINGBACK_ASSERT(condition, name) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define RINGBACK_ASSERT(condition, name) _Static_assert(condition, #name)
#else
#define RINGBACK_ASSERT(condition, name) \
    extern char ringback_assert_##name[(condition) ? 1 : -1]
#endif

/* Types. */
typedef uint32_t DWORD;
typedef int32_t LONG;
typedef uintptr_t DWORD_PTR;
typedef DWORD *LPDWORD;
typedef void *LPVOID;
typedef const char *LPCSTR;
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;
typedef void *HANDLE;
typedef void *HWND;
typedef void *HICON;
typedef HICON *LPHICON;

typedef struct ringback_guid {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;

typedef struct ringback_systemtime {
    uint16_t wYear;
    uint16_t wMonth;
    uint16_t wDayOfWeek;
    uint16_t wDay;
    uint16_t wHour;
    uint16_t wMinute;
    uint16_t wSecond;
    uint16_t wMilliseconds;
} SYSTEMTIME;

RINGBACK_ASSERT(sizeof(DWORD) == 4 && sizeof(LONG) == 4, words);
RINGBACK_ASSERT(sizeof(DWORD_PTR) == sizeof(void *), event_parameters);
RINGBACK_ASSERT(sizeof(WCHAR) == 2, wide_characters);
RINGBACK_ASSERT(sizeof(GUID) == 16 && sizeof(SYSTEMTIME) == 16, records);

/* Handles; never NULL, unless a function says so (N2). */
#define RINGBACK_HANDLE(name) \
    typedef const struct ringback_##name *name; \
    typedef name *LP##name
RINGBACK_HANDLE(HDRVLINE);
RINGBACK_HANDLE(HDRVCALL);
RINGBACK_HANDLE(HDRVPHONE);
RINGBACK_HANDLE(HDRVMSPLINE);
RINGBACK_HANDLE(HDRVDIALOGINSTANCE);
RINGBACK_HANDLE(HTAPILINE);
RINGBACK_HANDLE(HTAPICALL);
RINGBACK_HANDLE(HTAPIPHONE);
RINGBACK_HANDLE(HTAPIMSPLINE);
RINGBACK_HANDLE(HTAPIDIALOGINSTANCE);
RINGBACK_HANDLE(HPROVIDER);
typedef DWORD HLINE;

/* A request: 1 to 0x7FFFFFFF, unique while it is outstanding (T2, T3). */
typedef DWORD DRV_REQUESTID;

/* The calling convention and visibility of TSPI functions, and the convention of callbacks. */
#ifndef TSPIAPI
#if defined(__GNUC__)
#define TSPIAPI __attribute__((visibility("default")))
#else
#define TSPIAPI
#endif
#endif
#ifndef CALLBACK
#define CALLBACK
#endif

/* Completes a request, with 0 or a negative error (C1, C2). */
typedef void(CALLBACK *ASYNC_COMPLETION)(DRV_REQUESTID dwRequestID, LONG lResult);
/* Reports a message of a line, or of a call. */
typedef void(CALLBACK *LINEEVENT)(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg,
                                  DWORD_PTR dwParam1, DWORD_PTR dwParam2, DWORD_PTR dwParam3);
/* Reports a message of a phone. */
typedef void(CALLBACK *PHONEEVENT)(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR dwParam1,
                                   DWORD_PTR dwParam2, DWORD_PTR dwParam3);
/* Passes a dialog's parameters to its provider. */
typedef LONG(CALLBACK *TUISPIDLLCALLBACK)(DWORD_PTR dwObjectID, DWORD dwObjectType,
                                          LPVOID lpParams, DWORD dwSize);
