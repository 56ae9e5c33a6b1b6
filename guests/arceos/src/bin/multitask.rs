// SPDX-License-Identifier: Apache-2.0
//! Tasks that are spawned, sleep, are preempted and are joined.
//!
//! Every step needs working timer interrupts: a sleeper is woken by one, and on
//! a single CPU the spinning task only lets the others run when one preempts it.
//! With feature `smp` the tasks must also have run on every CPU, which takes
//! PSCI CPU_ON and inter-processor interrupts. The last line says `ok` only if
//! all of that was seen.

#![no_std]
#![no_main]

use axstd::os::arceos::modules::axhal::percpu::this_cpu_id;
use axstd::println;
use axstd::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use axstd::thread;
use axstd::time::{Duration, Instant};
use axstd::vec::Vec;

const TASKS: usize = 8;
const NAPS: usize = 5;
const NAP: Duration = Duration::from_millis(20);

/// Bit n: a task ran on CPU n.
static CPUS_SEEN: AtomicUsize = AtomicUsize::new(0);
/// Tells the spinning task to end.
static STOP: AtomicBool = AtomicBool::new(false);

fn note_cpu() {
    CPUS_SEEN.fetch_or(1 << this_cpu_id(), Ordering::Relaxed);
}

/// Never yields: ends because a timer interrupt gives the CPU to a task that
/// sets STOP.
fn spin() -> u64 {
    let mut turns = 0;
    while !STOP.load(Ordering::Acquire) {
        note_cpu();
        turns += 1;
    }
    turns
}

/// Sleeps NAPS times; the number of naps that were not cut short.
fn sleeper(number: usize) -> usize {
    let mut good = 0;
    for _ in 0..NAPS {
        let start = Instant::now();
        thread::sleep(NAP);
        note_cpu();
        if start.elapsed() >= NAP {
            good += 1;
        }
    }
    println!("task {number} on CPU {} slept {good} times", this_cpu_id());
    good
}

#[unsafe(no_mangle)]
fn main() {
    let cpus = thread::available_parallelism().map_or(1, |n| n.get());
    let spinner = thread::spawn(spin);
    let sleepers: Vec<_> = (0..TASKS)
        .map(|n| thread::spawn(move || sleeper(n)))
        .collect();
    let slept: usize = sleepers.into_iter().map(|t| t.join().unwrap_or(0)).sum();
    STOP.store(true, Ordering::Release);
    let turns = spinner.join().unwrap_or(0);

    let seen = CPUS_SEEN.load(Ordering::Relaxed);
    let ok = slept == TASKS * NAPS && turns > 0 && seen == (1 << cpus) - 1;
    println!(
        "multitask: {TASKS} tasks, {slept} of {} naps, CPU mask {seen:#x} of {cpus} CPUs: {}",
        TASKS * NAPS,
        if ok { "ok" } else { "FAILED" }
    );
}
