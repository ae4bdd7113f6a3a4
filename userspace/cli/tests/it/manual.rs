//! Man pages and completions are those of the program's own arguments.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::run;

fn written() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manual = folder.path().join("made/manual");
    run(&format!("manual {}", manual.display())).with(0);
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join("made/manual").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The commands that `ringback --help` lists.
fn commands() -> Vec<String> {
    let help = run("--help").with(0).lines;
    let listed = help.iter().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    let names = listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_its_page_and_completions() {
    let folder = written();
    let commands = commands();
    assert!(commands.len() > 8 && commands.contains(&"call".to_owned()), "{commands:?}");
    let [bash, zsh, fish] =
        ["ringback.bash", "_ringback", "ringback.fish"].map(|name| read(&folder, name));
    for name in &commands {
        for shell in [&bash, &zsh, &fish] {
            assert!(shell.contains(name), "{name} is in no completion:\n{shell}");
        }
        // The page of the gateway is its own program's.
        if name != "gateway" {
            let page = read(&folder, &format!("ringback-{name}.1"));
            assert!(page.contains(&format!(".TH ringback-{name} 1 ")), "{page}");
        }
    }
    assert!(!folder.path().join("made/manual/ringback-gateway.1").exists());
    for shell in [&bash, &zsh, &fish] {
        assert!(shell.contains("--record-both") || shell.contains("-l record-both"), "{shell}");
        // Hidden from `--help`.
        assert!(!shell.contains("conform-play") && !shell.contains("manual"), "{shell}");
    }
    let syntax = Command::new("bash").args(["-n"]).arg(path(&folder, "ringback.bash")).output();
    assert!(syntax.unwrap().status.success());
}

fn path(folder: &TempDir, name: &str) -> std::path::PathBuf {
    folder.path().join("made/manual").join(name)
}

#[test]
fn a_page_has_the_exit_codes_line_by_line() {
    let folder = written();
    let page = read(&folder, "ringback-call.1");
    let (_, notes) = page.split_once(".SH NOTES\n.nf\n").expect("notes that are not filled");
    for line in run("call --help").with(0).lines.iter().skip_while(|line| *line != "Exit codes:") {
        let written = line.replace('-', "\\-").replace('\'', "\\*(Aq");
        assert!(notes.contains(written.trim_end()), "{line:?} is not in\n{notes}");
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    let ended = run(&format!("manual {}", file.display())).with(1);
    ended.says("can't be written").says("file");
    assert_eq!(fs::read_to_string(Path::new(&file)).unwrap(), "kept");
}
