import { isatty } from 'node:tty';

export interface SignalActions {
  /** SIGTERM or SIGINT, or the terminal is gone. */
  stop(signal: string): void;
  /** A second one. */
  stopNow(signal: string): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR1 or SIGUSR2, with which other programs rotate logs. */
  ignore(signal: string): void;
}

/**
 * A signal so soon after another is the same one: Ctrl+C goes to every process of the terminal, and npm and our launcher pass it on.
 */
const repetitionMillis = 300;

/** How often it is looked whether npm is still there. */
const parentMillis = 500;

/** Has the process act on signals instead of ending at once. */
export function onSignals(actions: SignalActions): void {
  let firstMillis: number | null = null;
  const stop = (signal: string): void => {
    const now = performance.now();
    if (firstMillis === null) {
      firstMillis = now;
      actions.stop(signal);
    } else if (now - firstMillis >= repetitionMillis) {
      actions.stopNow(signal);
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const terminal = [0, 1, 2].find(fd => isatty(fd));
  process.on('SIGHUP', () => {
    // The same signal says that the terminal was closed. It answers no question any more then.
    if (terminal !== undefined && !isatty(terminal)) stop('SIGHUP');
    else actions.reload();
  });
  // Left to Node the first opens a debugger's port, which takes orders from every user of the machine, and the second ends the process.
  for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => actions.ignore(signal));
  if (process.env['npm_lifecycle_event'] !== undefined) onParentGone(() => stop('the end of npm'));
}

/** npm passes SIGTERM on to the shell between it and us, which ends without passing it on. */
function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, parentMillis).unref();
}
