//! Errors of line and provider functions (`LINEERR_`).

use ringback_request::ErrorCode;

use super::errors;

errors! {
    /// An error of a line or provider function: a negative LONG.
    LineError, LINEERR, "LINEERR_", OPERATIONFAILED {
        ALLOCATED = LINEERR_ALLOCATED:
            "the device is in use by another program and can't be shared; close it there first",
        BADDEVICEID = LINEERR_BADDEVICEID:
            "there is no device with this id; list the lines to see which there are",
        BEARERMODEUNAVAIL = LINEERR_BEARERMODEUNAVAIL:
            "the bearer mode is not available on this line at present",
        CALLUNAVAIL = LINEERR_CALLUNAVAIL:
            "no call can be made now: every appearance is in use, or there is no dial tone",
        COMPLETIONOVERRUN = LINEERR_COMPLETIONOVERRUN:
            "too many call completions are outstanding; cancel one",
        CONFERENCEFULL = LINEERR_CONFERENCEFULL:
            "the conference has as many parties as it can take",
        DIALBILLING = LINEERR_DIALBILLING:
            "the dial string has a '$', and the line can't wait for a billing tone; dial in two \
             steps",
        DIALDIALTONE = LINEERR_DIALDIALTONE:
            "the dial string has a 'W', and the line can't wait for dial tone; dial in two steps",
        DIALPROMPT = LINEERR_DIALPROMPT:
            "the dial string has a '?': ask the user, then dial the rest in a second step",
        DIALQUIET = LINEERR_DIALQUIET:
            "the dial string has a '@', and the line can't wait for a quiet answer; dial in two \
             steps",
        INCOMPATIBLEAPIVERSION = LINEERR_INCOMPATIBLEAPIVERSION:
            "no version of the interface is spoken by both sides",
        INCOMPATIBLEEXTVERSION = LINEERR_INCOMPATIBLEEXTVERSION:
            "no version of the device's extensions is spoken by both sides",
        INIFILECORRUPT = LINEERR_INIFILECORRUPT:
            "the configuration can't be read; check it or install the provider again",
        INUSE = LINEERR_INUSE: "the line is busy with another call, or the resource is in use",
        INVALADDRESS = LINEERR_INVALADDRESS:
            "the address can't be dialled: it is empty, too long, or has a character that is not \
             allowed",
        INVALADDRESSID = LINEERR_INVALADDRESSID:
            "the line has no address with this id; ids count from 0",
        INVALADDRESSMODE = LINEERR_INVALADDRESSMODE:
            "the address mode is not one the line supports",
        INVALADDRESSSTATE = LINEERR_INVALADDRESSSTATE:
            "the set of address states names one that does not exist",
        INVALAPPHANDLE = LINEERR_INVALAPPHANDLE: "the application handle is not valid",
        INVALAPPNAME = LINEERR_INVALAPPNAME: "the application's name is not valid",
        INVALBEARERMODE = LINEERR_INVALBEARERMODE: "the bearer mode is not one the line supports",
        INVALCALLCOMPLMODE = LINEERR_INVALCALLCOMPLMODE:
            "the call completion mode is not one the line supports",
        INVALCALLHANDLE = LINEERR_INVALCALLHANDLE:
            "there is no such call; it may have been closed already",
        INVALCALLPARAMS = LINEERR_INVALCALLPARAMS:
            "the call parameters contradict themselves or reach beyond their memory",
        INVALCALLPRIVILEGE = LINEERR_INVALCALLPRIVILEGE: "the call privilege is not valid",
        INVALCALLSELECT = LINEERR_INVALCALLSELECT:
            "it must be said whether line, address or call is meant, and by one value only",
        INVALCALLSTATE = LINEERR_INVALCALLSTATE:
            "the call is not in a state in which this can be done",
        INVALCALLSTATELIST = LINEERR_INVALCALLSTATELIST: "the list of call states is not valid",
        INVALCARD = LINEERR_INVALCARD: "there is no calling card with this id",
        INVALCOMPLETIONID = LINEERR_INVALCOMPLETIONID: "there is no call completion with this id",
        INVALCONFCALLHANDLE = LINEERR_INVALCONFCALLHANDLE:
            "the handle is not that of a conference call",
        INVALCONSULTCALLHANDLE = LINEERR_INVALCONSULTCALLHANDLE:
            "the handle is not that of a consultation call",
        INVALCOUNTRYCODE = LINEERR_INVALCOUNTRYCODE:
            "the country code is not valid; 0 stands for the default",
        INVALDEVICECLASS = LINEERR_INVALDEVICECLASS: "the device class is not one the line has",
        INVALDEVICEHANDLE = LINEERR_INVALDEVICEHANDLE: "the device handle is not valid",
        INVALDIALPARAMS = LINEERR_INVALDIALPARAMS:
            "the dialling times are outside what the line can do",
        INVALDIGITLIST = LINEERR_INVALDIGITLIST: "the list of digits is not valid",
        INVALDIGITMODE = LINEERR_INVALDIGITMODE: "the digit mode is not one the line supports",
        INVALDIGITS = LINEERR_INVALDIGITS: "a termination digit is not one that can be detected",
        INVALEXTVERSION = LINEERR_INVALEXTVERSION: "the extension version is not valid",
        INVALGROUPID = LINEERR_INVALGROUPID: "there is no pickup group with this id",
        INVALLINEHANDLE = LINEERR_INVALLINEHANDLE:
            "the line is not open; it may have been closed already",
        INVALLINESTATE = LINEERR_INVALLINESTATE:
            "the line is not in a state in which this can be done",
        INVALLOCATION = LINEERR_INVALLOCATION: "there is no dialling location with this id",
        INVALMEDIALIST = LINEERR_INVALMEDIALIST: "the list of media modes is not valid",
        INVALMEDIAMODE = LINEERR_INVALMEDIAMODE: "the media mode is not one the line supports",
        INVALMESSAGEID = LINEERR_INVALMESSAGEID: "there is no call completion message with this id",
        INVALPARAM = LINEERR_INVALPARAM: "a parameter is not valid",
        INVALPARKID = LINEERR_INVALPARKID: "there is no parked call with this id",
        INVALPARKMODE = LINEERR_INVALPARKMODE: "the park mode is not one the line supports",
        INVALPOINTER = LINEERR_INVALPOINTER: "a pointer does not lead to memory that can be used",
        INVALPRIVSELECT = LINEERR_INVALPRIVSELECT: "the selection of call privileges is not valid",
        INVALRATE = LINEERR_INVALRATE: "the data rate is not one the line supports",
        INVALREQUESTMODE = LINEERR_INVALREQUESTMODE: "the request mode is not valid",
        INVALTERMINALID = LINEERR_INVALTERMINALID: "the line has no terminal with this id",
        INVALTERMINALMODE = LINEERR_INVALTERMINALMODE: "the terminal mode is not valid",
        INVALTIMEOUT = LINEERR_INVALTIMEOUT: "a timeout is outside what the line can do",
        INVALTONE = LINEERR_INVALTONE: "a tone is not valid: too many frequencies, or out of range",
        INVALTONELIST = LINEERR_INVALTONELIST: "the list of tones is not valid",
        INVALTONEMODE = LINEERR_INVALTONEMODE: "the tone mode is not one the line supports",
        INVALTRANSFERMODE = LINEERR_INVALTRANSFERMODE: "the transfer mode is not valid",
        LINEMAPPERFAILED = LINEERR_LINEMAPPERFAILED: "no line fits what was asked for",
        NOCONFERENCE = LINEERR_NOCONFERENCE: "the call is not part of a conference",
        NODEVICE = LINEERR_NODEVICE: "the device has gone: pulled out, or its driver was unbound",
        NODRIVER = LINEERR_NODRIVER:
            "the device's driver does not answer; is it loaded and bound to the card?",
        NOMEM = LINEERR_NOMEM: "there is not enough memory, or every request slot is taken",
        NOREQUEST = LINEERR_NOREQUEST: "there is no request waiting",
        NOTOWNER = LINEERR_NOTOWNER: "only an owner of the call may do this",
        NOTREGISTERED = LINEERR_NOTREGISTERED: "the application is not registered for this",
        OPERATIONFAILED = LINEERR_OPERATIONFAILED: "the operation failed",
        OPERATIONUNAVAIL = LINEERR_OPERATIONUNAVAIL:
            "the line can't do this at all, or not at present",
        RATEUNAVAIL = LINEERR_RATEUNAVAIL: "the data rate is not available at present",
        RESOURCEUNAVAIL = LINEERR_RESOURCEUNAVAIL:
            "something the operation needs is not available; the log may say what",
        REQUESTOVERRUN = LINEERR_REQUESTOVERRUN: "too many requests are waiting",
        STRUCTURETOOSMALL = LINEERR_STRUCTURETOOSMALL:
            "the memory for the answer does not even hold the fixed part of the structure",
        TARGETNOTFOUND = LINEERR_TARGETNOTFOUND: "the target of a handoff was not found",
        TARGETSELF = LINEERR_TARGETSELF:
            "the application that hands the call off is itself the target",
        UNINITIALIZED = LINEERR_UNINITIALIZED: "the interface was not initialised",
        USERUSERINFOTOOBIG = LINEERR_USERUSERINFOTOOBIG:
            "the user-user information is longer than the line can send",
        REINIT = LINEERR_REINIT: "devices have changed; shut down and initialise again",
        ADDRESSBLOCKED = LINEERR_ADDRESSBLOCKED: "the address may not be called",
        BILLINGREJECTED = LINEERR_BILLINGREJECTED: "the network refused the billing",
        INVALFEATURE = LINEERR_INVALFEATURE: "the switch feature does not exist",
        NOMULTIPLEINSTANCE = LINEERR_NOMULTIPLEINSTANCE: "the provider can be installed only once",
        INVALAGENTID = LINEERR_INVALAGENTID: "there is no agent with this id",
        INVALAGENTGROUP = LINEERR_INVALAGENTGROUP: "the agent group is not valid",
        INVALPASSWORD = LINEERR_INVALPASSWORD: "the agent's password is not right",
        INVALAGENTSTATE = LINEERR_INVALAGENTSTATE: "the agent state is not valid",
        INVALAGENTACTIVITY = LINEERR_INVALAGENTACTIVITY: "the agent activity is not valid",
        DIALVOICEDETECT = LINEERR_DIALVOICEDETECT:
            "the dial string asks to wait for a voice, which the line can't do",
        USERCANCELLED = LINEERR_USERCANCELLED: "the user cancelled",
        INVALADDRESSTYPE = LINEERR_INVALADDRESSTYPE:
            "the address type is not one the line supports",
        INVALAGENTSESSIONSTATE = LINEERR_INVALAGENTSESSIONSTATE:
            "the agent session state is not valid",
        DISCONNECTED = LINEERR_DISCONNECTED: "the connection to the telephony server is lost",
        SERVICE_NOT_RUNNING = LINEERR_SERVICE_NOT_RUNNING: "the telephony service is not running",
    }
}
