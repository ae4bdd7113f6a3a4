//! Secrets from files, and from systemd's credentials.
//!
//! A secret is the first line of its file. It is in no log, and in no error.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 1024;

/// What somebody has to know to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for a digest.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    pub(crate) fn read(path: &Path) -> Result<Secret, String> {
        let name = path.display();
        let failed = |error: io::Error| format!("the secret {name} can't be read: {error}");
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(format!(
                "everybody can read the secret {name}: `chmod o= {name}`, and let it belong to the \
                 user or the group of the gateway"
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| format!("the secret {name} is no text in UTF-8: write it anew"))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() || text.len() as u64 > MOST_BYTES {
            return Err(format!(
                "the secret {name} has to be its file's first line, and the file at most \
                 {MOST_BYTES} bytes long"
            ));
        }
        Ok(Secret(line.to_owned()))
    }

    /// Reads a credential that systemd has passed to the service (LoadCredential=).
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub(crate) fn credential(name: &str, folder: Option<PathBuf>) -> Result<Secret, String> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(format!(
                "{name:?} is no name of a credential: write that in LoadCredential="
            ));
        }
        let folder = folder.ok_or_else(|| {
            format!(
                "there are no credentials (CREDENTIALS_DIRECTORY is not set): start the gateway as \
                 a service of systemd with LoadCredential={name}:FILE, or write secret_file"
            )
        })?;
        Secret::read(&folder.join(name))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_secret_is_its_files_first_line_and_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let error = Secret::read(&path).unwrap_err();
        assert!(error.contains("No such file"), "{error}");
        fs::write(&path, "open sesame\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Secret::read(&path).unwrap_err();
        assert!(error.contains("chmod o="), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let secret = Secret::read(&path).unwrap();
        assert_eq!((secret.reveal(), &*format!("{secret:?}")), ("open sesame", "Secret"));
        let folder = Some(folder.path().to_owned());
        assert_eq!(Secret::credential("secret", folder.clone()), Ok(secret));
        for (name, folder) in [("../secret", folder.clone()), ("", folder), ("secret", None)] {
            assert!(Secret::credential(name, folder).is_err(), "{name}");
        }
        fs::write(&path, "\nx").unwrap();
        assert!(Secret::read(&path).unwrap_err().contains("first line"));
        fs::write(&path, [0xFF]).unwrap();
        assert!(Secret::read(&path).unwrap_err().contains("UTF-8"));
        fs::write(&path, "x".repeat(2000)).unwrap();
        assert!(Secret::read(&path).unwrap_err().contains("1024"));
    }
}
