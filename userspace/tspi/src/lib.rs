//! The TSPI contract: lines, provider and host.
