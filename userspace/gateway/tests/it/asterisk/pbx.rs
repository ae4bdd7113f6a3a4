//! An Asterisk that runs for a test: its configuration, and what it logs.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::site::eventually;

/// Where Asterisk lies, as `tests/asterisk/run` has it.
const FOLDER: &str = "RINGBACK_ASTERISK";

/// The README has what an owner writes into `pjsip.conf`, with these addresses.
const README: &str = include_str!("../../../../../README.md");
const PBX: &str = "127.0.0.1:5070";
const GATEWAY: &str = "127.0.0.1:5060";

/// What the test adds: endpoints that offer one codec, and an answer to OPTIONS by which it is seen
/// that the gateway is reached.
const MORE: &str = "\
qualify_frequency = 1
[a-law]
type = endpoint
transport = udp
disallow = all
allow = alaw
dtmf_mode = rfc4733
aors = ringback
[wideband]
type = endpoint
transport = udp
disallow = all
allow = g722
aors = ringback
";

/// `conversation` says digits, reads digits, hears a tone and plays another one.
const EXTENSIONS: &str = "\
[from-line]
exten => line2,1,Verbose(0,said caller ${CALLERID(num)} ${CALLERID(name)})
 same => n,Goto(conversation,s,1)
exten => 600,1,Verbose(0,said caller ${CALLERID(num)} ${CALLERID(name)})
 same => n,Goto(conversation,s,1)
exten => _X.,1,Goto(out,${EXTEN},1)
[conversation]
exten => s,1,Answer()
 same => n,SendDTMF(15#,150,150)
 same => n,Verbose(0,said ready)
 same => n,Read(digits,,4,,1,60)
 same => n,Verbose(0,said digits ${digits})
 same => n,WaitForTone(1000,500,60)
 same => n,Verbose(0,said heard ${WAITFORTONESTATUS})
 same => n,PlayTones(700)
 same => n,Wait(600)
exten => h,1,Verbose(0,said end ${HANGUPCAUSE})
[out]
exten => _X.,1,Dial(PJSIP/${EXTEN}@ringback,60)
 same => n,Verbose(0,said dialled ${EXTEN} ${DIALSTATUS} ${HANGUPCAUSE})
[wide]
exten => _X.,1,Dial(PJSIP/${EXTEN}@wideband,60)
 same => n,Verbose(0,said dialled ${EXTEN} ${DIALSTATUS} ${HANGUPCAUSE})
";

/// Modules for which there is nothing in a test.
const MODULES: &str = "\
[modules]
autoload = yes
noload = chan_iax2.so
noload = chan_unistim.so
noload = pbx_dundi.so
noload = pbx_ael.so
noload = res_http_media_cache.so
noload = res_phoneprov.so
";

pub struct Asterisk {
    root: PathBuf,
    /// How much of the log was read.
    read: usize,
    folder: tempfile::TempDir,
    child: Child,
}

/// A port that nobody has at the moment.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Asterisk {
    /// Starts it on this port, with the gateway as its trunk, and waits until it has reached it.
    pub async fn start(port: u16, gateway: SocketAddr) -> Asterisk {
        let root = std::env::var_os(FOLDER).map(PathBuf::from);
        let root = root.unwrap_or_else(|| panic!("{FOLDER} is not set: use tests/asterisk/run"));
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path();
        for name in ["log", "run", "spool", "var"] {
            fs::create_dir(own.join(name)).unwrap();
        }
        let (mine, roots) = (own.display(), root.display());
        let directories = format!(
            "[directories]\nastetcdir => {mine}\nastvarlibdir => {mine}/var\n\
             astdbdir => {mine}/var\nastkeydir => {mine}/var\nastagidir => {mine}/var\n\
             astspooldir => {mine}/spool\nastrundir => {mine}/run\nastlogdir => {mine}/log\n\
             astdatadir => {roots}/usr/share/asterisk\n\
             astmoddir => {roots}/usr/lib/x86_64-linux-gnu/asterisk/modules\n"
        );
        let pjsip = README.split("```").find(|block| block.contains("type = endpoint"));
        // The contact's section comes last but one, so that it can be added to.
        let (contact, identity) = pjsip.unwrap().split_once("[ringback]\ntype = identify").unwrap();
        let pjsip = format!("{contact}{MORE}[ringback]\ntype = identify{identity}")
            .replace(PBX, &format!("127.0.0.1:{port}"))
            .replace(GATEWAY, &gateway.to_string());
        let first = 20_000 + port % 10_000 / 4 * 4;
        for (name, text) in [
            ("asterisk.conf", directories),
            ("modules.conf", MODULES.to_owned()),
            ("pjsip.conf", pjsip),
            ("extensions.conf", EXTENSIONS.to_owned()),
            ("logger.conf", "[general]\n[logfiles]\npbx => verbose,notice,warning,error\n".into()),
            ("rtp.conf", format!("[general]\nrtpstart={first}\nrtpend={}\n", first + 99)),
        ] {
            fs::write(own.join(name), text).unwrap();
        }
        let child = run(&root, own).args(["-f", "-v"]).spawn().unwrap();
        let asterisk = Asterisk { root, read: 0, folder, child };
        eventually("Asterisk has reached the gateway", || {
            asterisk.tell("pjsip show contacts").contains("Avail")
        })
        .await;
        asterisk
    }

    /// Gives a command, and returns what it prints.
    pub fn tell(&self, command: &str) -> String {
        let mut run = run(&self.root, self.folder.path());
        let Output { stdout, .. } =
            run.stdout(Stdio::piped()).args(["-rx", command]).output().unwrap();
        String::from_utf8_lossy(&stdout).into_owned()
    }

    fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log/pbx")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until its dialplan logs that, behind what was waited for before.
    pub async fn says(&mut self, what: &str) {
        let wanted = format!("said {what}");
        let mut found = None;
        eventually(&format!("Asterisk says: {what}"), || {
            found = self.log().get(self.read..).and_then(|log| log.find(&wanted));
            found.is_some()
        })
        .await;
        self.read += found.unwrap_or(0) + wanted.len();
    }

    /// Waits until it has no call.
    pub async fn idle(&self) {
        eventually("Asterisk has no call", || {
            self.tell("core show channels count").contains("0 active channels")
        })
        .await;
    }

    /// Ends it without a word to the other side.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // It complains of every module for which there is no configuration.
            let log = self.log();
            let told = log.lines().filter(|line| !line.contains("loader.c"));
            told.for_each(|line| eprintln!("asterisk: {line}"));
        }
    }
}

/// The program, with the libraries of the folder that it lies in.
fn run(root: &Path, own: &Path) -> Command {
    let mut command = Command::new(root.join("lib64/ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(root.join("usr/lib/x86_64-linux-gnu"))
        .arg(root.join("usr/sbin/asterisk"))
        .arg("-C")
        .arg(own.join("asterisk.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
