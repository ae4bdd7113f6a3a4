//! Whether the calling thread is in an upcall of a host, where waiting for that host would be waiting
//! for oneself.

use std::cell::Cell;

thread_local! {
    /// Which host's upcall this thread is in; 0 for none.
    static HOST: Cell<usize> = const { Cell::new(0) };
}

/// Keeps the thread marked until it is dropped, by a panic as well.
pub(super) struct Inside(usize);

/// Marks the thread as being in an upcall of that host.
pub(super) fn enter<T>(host: &T) -> Inside {
    Inside(HOST.replace(std::ptr::from_ref(host).addr()))
}

/// Whether the thread is in an upcall of that host.
pub(super) fn is_inside<T>(host: &T) -> bool {
    HOST.get() == std::ptr::from_ref(host).addr()
}

impl Drop for Inside {
    fn drop(&mut self) {
        HOST.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_whose_upcall_it_is_counts() {
        let (host, other) = (1_u32, 2_u32);
        assert!(!is_inside(&host));
        let outer = enter(&host);
        assert!(is_inside(&host) && !is_inside(&other));
        let inner = enter(&other);
        assert!(is_inside(&other));
        drop(inner);
        assert!(is_inside(&host));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(!is_inside(&host), "another thread"));
        });
        drop(outer);
        assert!(!is_inside(&host));
    }
}
