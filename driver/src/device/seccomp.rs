//! Makes system calls fail on purpose, for tests of errors that this machine's kernel does not
//! return.

#![allow(unsafe_code)]

use std::os::fd::RawFd;

/// Makes a system call fail with `errno` in the calling thread (and in none that exists already),
/// for the rest of its life; with `fd`, only calls whose first argument is that.
pub fn refuse(call: libc::c_long, fd: Option<RawFd>, errno: i32) {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let load = |offset: u32| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset);
    // Skips the next `jf` statements unless the loaded word is `k`.
    let unless = |k: u32, jf: u8| libc::sock_filter {
        jf,
        ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k)
    };
    let give = |value: u32| statement(libc::BPF_RET | libc::BPF_K, value);
    // seccomp_data: nr at 0, the low half of args[0] at 16.
    let mut program = Vec::new();
    program.push(load(0));
    match fd {
        Some(fd) => {
            program.extend([unless(call as u32, 3), load(16), unless(fd as u32, 1)]);
        }
        None => program.push(unless(call as u32, 1)),
    }
    program.push(give(libc::SECCOMP_RET_ERRNO | errno as u32));
    program.push(give(libc::SECCOMP_RET_ALLOW));

    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: no pointers are passed; the thread needs none of the privileges that it gives up.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    // SAFETY: `filter` and `program` live until the call has returned; the kernel copies them.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter) };
    assert_eq!(set, 0);
}
