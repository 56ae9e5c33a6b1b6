// SPDX-License-Identifier: Apache-2.0
//! The smallest guest: boot, one line on the console, power off.

#![no_std]
#![no_main]

use axstd::println;

#[unsafe(no_mangle)]
fn main() {
    println!("Hello, world!");
}
