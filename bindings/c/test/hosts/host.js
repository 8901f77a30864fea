// host.js: libresnext in Node, by koffi: workers and calls in Node's pool of threads, under a storm of signals, with
// WebAssembly whose bounds are kept by faults, child processes, and stacks that overflow.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const fs = require('node:fs');
const koffi = require('koffi');

const CLASSES = 6;
const lib = koffi.load('libresnext.so.0');
koffi.struct('Options', { size: 'size_t', threads: 'uint32_t', reserved: 'uint32_t' });
const lastError = lib.func('const char *resnext_last_error()');
const modelOpen = lib.func('int resnext_model_open(const char *path, const void *options, _Out_ uintptr_t *model)');
const modelClose = lib.func('int resnext_model_close(uintptr_t model)');
const sessionNew = lib.func('resnext_session_new', 'int', ['uintptr_t', 'const Options *', '_Out_ uintptr_t *']);
const sessionClose = lib.func('int resnext_session_close(uintptr_t session)');
const inferInput = lib.func('resnext_infer_input', 'int',
  ['uintptr_t', 'const uint8_t *', 'size_t', '_Out_ uint8_t *', 'size_t']);

const pixels = fs.readFileSync('input'), golden = fs.readFileSync('input.logits');

function check(status) {
  if (status !== 0) throw new Error(`status ${status}: ${lastError()}`);
}

function compare(logits) {
  if (!golden.equals(logits)) throw new Error(`other logits: ${logits.toString('hex')}`);
}

function makeSession(model, threads) {
  const out = [null];
  check(sessionNew(model, { size: koffi.sizeof('Options'), threads, reserved: 0 }, out));
  return out[0];
}

function infer(session) {
  const logits = Buffer.alloc(4 * CLASSES);
  check(inferInput(session, pixels, pixels.length, logits, CLASSES));
  compare(logits);
}

// In a thread of Node's pool.
function inferAsync(session) {
  const logits = Buffer.alloc(4 * CLASSES);
  return promisify(inferInput.async)(session, pixels, pixels.length, logits, CLASSES).then((status) => {
    check(status);
    compare(logits);
  });
}

// A module with one function, which reads beyond its memory: Node turns the fault into an exception.
const trap = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0,
  10, 12, 1, 10, 0, 65, 128, 128, 128, 4, 40, 2, 0, 11,
]))).exports.f;

function faults() {
  const thrown = [];
  for (const f of [trap, function deep() { return 1 + deep(); }]) {
    try { f(); } catch (error) { thrown.push(error.constructor); }
  }
  if (thrown[0] !== WebAssembly.RuntimeError || thrown[1] !== RangeError) throw new Error(`faults: ${thrown}`);
}

function work(model, times) {
  const session = makeSession(model, 1);
  for (let i = 0; i < times; i++) {
    infer(session);
    if (i % 50 === 0) faults();
  }
  check(sessionClose(session));
}

async function main() {
  let signals = 0;
  process.on('SIGUSR2', () => signals++);
  faults();
  const out = [null];
  check(modelOpen('tiny.safetensors', null, out));
  const model = out[0];
  const workers = [1, 2, 3, 4].map(() => new Promise((resolve, reject) => {
    new Worker(__filename, { workerData: model }).on('message', resolve).on('error', reject);
  }));
  const sessions = [1, 2, 1].map((threads) => makeSession(model, threads));
  for (let i = 0; i < 150 || signals < 100; i++) {
    process.kill(process.pid, 'SIGUSR2');
    await Promise.all(sessions.map(inferAsync));
    if (i % 10 === 0) {
      faults();
      await promisify(execFile)('true');
    }
  }
  await Promise.all(workers);
  sessions.forEach((session) => check(sessionClose(session)));
  check(modelClose(model));
}

if (isMainThread) {
  main().catch((error) => { console.error(error); process.exit(1); });
} else {
  work(workerData, 300);
  parentPort.postMessage('done');
}
