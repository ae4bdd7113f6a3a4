
/* Structures with natural alignment. */

/* With LINE_CREATEDIALOGINSTANCE: a dialog that the provider wants to be shown. htDlgInst is
 * TAPI's, all other members are the provider's. */
typedef struct ringback_TUISPICREATEDIALOGINSTANCEPARAMS {
    DRV_REQUESTID dwRequestID;
    HDRVDIALOGINSTANCE hdDlgInst;
    HTAPIDIALOGINSTANCE htDlgInst;
    LPCWSTR lpszUIDLLName;
    LPVOID lpParams;
    DWORD dwSize;
} TUISPICREATEDIALOGINSTANCEPARAMS;
typedef TUISPICREATEDIALOGINSTANCEPARAMS *LPTUISPICREATEDIALOGINSTANCEPARAMS;
RINGBACK_ASSERT(sizeof(TUISPICREATEDIALOGINSTANCEPARAMS) == 6 * sizeof(void *),
                size_of_TUISPICREATEDIALOGINSTANCEPARAMS);
RINGBACK_ASSERT(offsetof(TUISPICREATEDIALOGINSTANCEPARAMS, hdDlgInst) == sizeof(void *),
                TUISPICREATEDIALOGINSTANCEPARAMS_hdDlgInst);
RINGBACK_ASSERT(offsetof(TUISPICREATEDIALOGINSTANCEPARAMS, htDlgInst) == 2 * sizeof(void *),
                TUISPICREATEDIALOGINSTANCEPARAMS_htDlgInst);
RINGBACK_ASSERT(offsetof(TUISPICREATEDIALOGINSTANCEPARAMS, lpszUIDLLName) == 3 * sizeof(void *),
                TUISPICREATEDIALOGINSTANCEPARAMS_lpszUIDLLName);
RINGBACK_ASSERT(offsetof(TUISPICREATEDIALOGINSTANCEPARAMS, lpParams) == 4 * sizeof(void *),
                TUISPICREATEDIALOGINSTANCEPARAMS_lpParams);
RINGBACK_ASSERT(offsetof(TUISPICREATEDIALOGINSTANCEPARAMS, dwSize) == 5 * sizeof(void *),
                TUISPICREATEDIALOGINSTANCEPARAMS_dwSize);

/* A request about the quality of service. Elsewhere SetQOSServiceLevel is the only member of a
 * union without a name, which C99 does not have; its place is the same. */
typedef struct ringback_LINECALLQOSINFO {
    DWORD dwKey; /* LINEQOSSTRUCT_KEY */
    DWORD dwTotalSize;
    DWORD dwQOSRequestType; /* LINEQOSREQUESTTYPE_SERVICELEVEL */
    struct {
        DWORD dwNumServiceLevelEntries;
        LINEQOSSERVICELEVEL LineQOSServiceLevel[1]; /* as many as dwNumServiceLevelEntries says */
    } SetQOSServiceLevel;
} LINECALLQOSINFO;
typedef LINECALLQOSINFO *LPLINECALLQOSINFO;
RINGBACK_ASSERT(sizeof(LINECALLQOSINFO) == 24, size_of_LINECALLQOSINFO);
RINGBACK_ASSERT(offsetof(LINECALLQOSINFO, dwTotalSize) == 4, LINECALLQOSINFO_dwTotalSize);
RINGBACK_ASSERT(offsetof(LINECALLQOSINFO, dwQOSRequestType) == 8,
                LINECALLQOSINFO_dwQOSRequestType);
RINGBACK_ASSERT(offsetof(LINECALLQOSINFO, SetQOSServiceLevel) == 12,
                LINECALLQOSINFO_SetQOSServiceLevel);
RINGBACK_ASSERT(offsetof(LINECALLQOSINFO, SetQOSServiceLevel.LineQOSServiceLevel) == 16,
                LINECALLQOSINFO_LineQOSServiceLevel);
