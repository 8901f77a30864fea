//! host.rs: libresnext in Rust, by an extern block: threads that infer, panic and overflow their stacks, and child
//! processes.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::{env, fs, panic, ptr, thread};

const INPUT: usize = 32 * 32 * 3;
const CLASSES: usize = 6;

#[repr(C)]
struct SessionOptions {
    size: usize,
    threads: u32,
    reserved: u32,
}

#[link(name = "resnext")]
extern "C" {
    fn resnext_last_error() -> *const c_char;
    fn resnext_model_open(path: *const c_char, options: *const c_void, model: *mut *mut c_void) -> c_int;
    fn resnext_model_close(model: *mut c_void) -> c_int;
    fn resnext_session_new(model: *const c_void, options: *const SessionOptions, session: *mut *mut c_void) -> c_int;
    fn resnext_session_close(session: *mut c_void) -> c_int;
    fn resnext_infer_input(s: *mut c_void, rgb: *const u8, length: usize, logits: *mut f32, count: usize) -> c_int;
}

fn check(status: c_int) {
    if status != 0 {
        let words = unsafe { CStr::from_ptr(resnext_last_error()) };
        panic!("status {status}: {}", words.to_string_lossy());
    }
}

/// A model, which may go to any thread.
#[derive(Clone, Copy)]
struct Model(*mut c_void);
unsafe impl Send for Model {}

fn open() -> Model {
    let mut model = ptr::null_mut();
    check(unsafe { resnext_model_open(c"tiny.safetensors".as_ptr(), ptr::null(), &mut model) });
    Model(model)
}

fn infer(model: Model, threads: u32, times: usize) {
    let pixels = fs::read("input").unwrap();
    let golden = fs::read("input.logits").unwrap();
    assert_eq!(pixels.len(), INPUT);
    let options = SessionOptions { size: size_of::<SessionOptions>(), threads, reserved: 0 };
    let mut session = ptr::null_mut();
    check(unsafe { resnext_session_new(model.0, &options, &mut session) });
    for _ in 0..times {
        let mut logits = [0f32; CLASSES];
        check(unsafe { resnext_infer_input(session, pixels.as_ptr(), INPUT, logits.as_mut_ptr(), CLASSES) });
        let bytes: Vec<u8> = logits.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(bytes, golden, "{logits:?}");
    }
    check(unsafe { resnext_session_close(session) });
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn overflow(depth: u64) -> u64 {
    let room = [depth; 64];
    std::hint::black_box(&room);
    overflow(depth + 1) + room[3]
}

fn main() {
    let model = open();
    if env::args().len() > 1 {
        // The child: Rust's own handler must say that the stack has overflowed, in a thread that has used the library.
        let thread = thread::spawn(move || { infer(model, 1, 10); overflow(0) });
        println!("{:?}", thread.join());
        return;
    }
    panic::set_hook(Box::new(|_| {}));
    let workers: Vec<_> = (0..6).map(|n| thread::spawn(move || infer(model, 1 + n % 2, 300))).collect();
    for n in 0..50 {
        let thread = thread::spawn(move || { infer(model, 1, 3); assert!(n < 0, "a panic that is meant") });
        assert!(thread.join().is_err());
        assert!(Command::new("true").status().unwrap().success());
    }
    for worker in workers {
        worker.join().expect("a thread that infers");
    }
    let child = Command::new(env::current_exe().unwrap()).arg0("host").arg("overflow").output().unwrap();
    let words = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.signal(), Some(6), "{words}");
    assert!(words.contains("has overflowed its stack"), "{words}");
    infer(model, 2, 100);
    check(unsafe { resnext_model_close(model.0) });
}
