//! The TDM400P in software, with an exchange and telephones behind it.
