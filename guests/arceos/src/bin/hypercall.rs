// SPDX-License-Identifier: Apache-2.0
//! HelloWorld with hypercalls, as upstream's test does it: number 0, 1, 2, …
//! each with the arguments 2, 3, 3, 3. The guest must live through all of them.
//!
//! Ends after 16 calls, so that a test ends; with feature `endless` it goes on
//! for ever, once a second, as upstream's does.

#![no_std]
#![no_main]

use axstd::println;
#[cfg(feature = "endless")]
use axstd::{thread, time::Duration};

#[cfg(not(feature = "endless"))]
const CALLS: usize = 16;

/// AArch64: `hvc #0`, number in x0, arguments in x1 to x6, result in x0.
#[cfg(target_arch = "aarch64")]
fn hypercall(nr: usize, args: [usize; 6]) -> isize {
    let ret: isize;
    // SAFETY: the call leaves memory alone (no argument is a pointer to ours)
    // and, by SMCCC, every register but x0 to x3.
    unsafe {
        core::arch::asm!(
            "hvc #0",
            inlateout("x0") nr => ret,
            inlateout("x1") args[0] => _,
            inlateout("x2") args[1] => _,
            inlateout("x3") args[2] => _,
            in("x4") args[3],
            in("x5") args[4],
            in("x6") args[5],
            options(nostack),
        );
    }
    ret
}

/// RISC-V: `ecall` with a7 = "HVC", number in a6, arguments and result in a0 on.
#[cfg(target_arch = "riscv64")]
fn hypercall(nr: usize, args: [usize; 6]) -> isize {
    const EXTENSION: usize = 0x48_5643;
    let ret: isize;
    // SAFETY: as above; SBI keeps every register but a0 and a1.
    unsafe {
        core::arch::asm!(
            "ecall",
            inlateout("a0") args[0] => ret,
            inlateout("a1") args[1] => _,
            in("a2") args[2],
            in("a3") args[3],
            in("a4") args[4],
            in("a5") args[5],
            in("a6") nr,
            in("a7") EXTENSION,
            options(nostack),
        );
    }
    ret
}

/// x86: `vmmcall` on AMD, `vmcall` elsewhere; number and result in rax.
#[cfg(target_arch = "x86_64")]
fn hypercall(nr: usize, args: [usize; 6]) -> isize {
    let amd = core::arch::x86_64::__cpuid(0).ecx == u32::from_le_bytes(*b"cAMD");
    let ret: isize;
    // SAFETY: as above; no register but rax changes.
    unsafe {
        if amd {
            core::arch::asm!(
                "vmmcall",
                inlateout("rax") nr => ret,
                in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
                in("rcx") args[3], in("r8") args[4], in("r9") args[5],
                options(nostack),
            );
        } else {
            core::arch::asm!(
                "vmcall",
                inlateout("rax") nr => ret,
                in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
                in("rcx") args[3], in("r8") args[4], in("r9") args[5],
                options(nostack),
            );
        }
    }
    ret
}

/// Upstream's arguments: six from call 6 on where the architecture is RISC-V.
fn arguments(nr: usize) -> [usize; 6] {
    if cfg!(target_arch = "riscv64") && nr >= 6 {
        [2, 3, 3, 3, 4, 5]
    } else {
        [2, 3, 3, 3, 0, 0]
    }
}

fn call(nr: usize) {
    println!("Hypercall [{nr}] = {}", hypercall(nr, arguments(nr)));
}

#[unsafe(no_mangle)]
fn main() {
    println!("Hello, world!");
    #[cfg(feature = "endless")]
    for nr in 0.. {
        call(nr);
        thread::sleep(Duration::from_secs(1));
    }
    #[cfg(not(feature = "endless"))]
    {
        for nr in 0..CALLS {
            call(nr);
        }
        println!("hypercall: {CALLS} calls made, still alive: ok");
    }
}
