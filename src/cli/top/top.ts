import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { columns, frameLines, type Look, type View, screenLines } from './screen.ts';

type Item = Record<string, unknown>;

export interface TopOptions {
  readonly seconds: number;
  readonly view: View;
  /** How many times; 0: until it is quit. */
  readonly rounds: number;
}

const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const plainWidth = 120;
const plainHeight = 40;
const errorPauseMillis = 1000;

/** A live view on a terminal; without one, the same as plain lines, time after time. */
export class Top {
  readonly #api: ApiClient;
  readonly #options: TopOptions;
  #view: View;
  #sort: string;
  #isReverse = true;
  #offset = 0;
  #notice = '';
  #look: Look | null = null;
  #isOver = false;
  #wake = new AbortController();

  constructor(api: ApiClient, options: TopOptions) {
    this.#api = api;
    this.#options = options;
    this.#view = options.view;
    this.#sort = defaultSort(options.view);
  }

  /** Resolves when it was quit. */
  async run(): Promise<void> {
    const { stdin, stdout } = process;
    if (stdout.isTTY && stdin.isTTY) {
      stdin.setRawMode(true);
      stdin.setEncoding('utf8');
      stdin.on('data', (keys: string) => this.#onKeys(keys));
      stdout.on('resize', () => this.#wakeUp());
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#quit());
      stdout.write(enter);
      try {
        await this.#loop(true);
      } finally {
        stdout.write(leave);
        stdin.setRawMode(false);
        stdin.pause();
      }
    } else {
      process.on('SIGINT', () => this.#quit());
      await this.#loop(false);
    }
  }

  async #loop(isTerminal: boolean): Promise<void> {
    for (let round = 1; !this.#isOver; round++) {
      const height = isTerminal ? terminalSize().height : plainHeight;
      try {
        this.#look = await this.#ask(Math.max(1, height - frameLines));
        this.#notice = '';
      } catch (error) {
        if (!isTerminal || this.#look === null) throw error;
        this.#notice = error instanceof CliError ? `no answer: ${error.message.split('\n')[0]}` : String(error);
        await sleep(errorPauseMillis);
      }
      this.#draw(isTerminal);
      if (round === this.#options.rounds) return;
      this.#wake = new AbortController();
      try {
        await sleep(this.#options.seconds * 1000, undefined, { signal: this.#wake.signal });
      } catch {
        // A key was pressed, or the window has another size.
      }
    }
  }

  /** Only the rows that are seen are asked for, whatever there is in all. */
  async #ask(rows: number): Promise<Look> {
    const page = Math.floor(this.#offset / rows) + 1;
    this.#offset = (page - 1) * rows;
    const query = new URLSearchParams({
      page: String(page),
      page_size: String(Math.min(rows, 500)),
      sort: this.#sort,
      sort_reverse: String(this.#isReverse),
    });
    const [overview, nodes, list] = await Promise.all([
      this.#api.object('/overview'),
      this.#api.list('/nodes'),
      this.#api.object(`/${this.#view}?${query.toString()}`),
    ]);
    const total = Number(list['filtered_count'] ?? 0);
    return { overview, node: nodes[0] ?? {}, items: (list['items'] ?? []) as Item[], total };
  }

  #draw(isTerminal: boolean): void {
    if (this.#look === null) return;
    const { width, height } = terminalSize();
    const lines = screenLines(this.#look, {
      view: this.#view,
      sort: this.#sort,
      isReverse: this.#isReverse,
      offset: this.#offset,
      width: isTerminal ? width : plainWidth,
      height: isTerminal ? height : Math.min(plainHeight, this.#look.items.length + frameLines),
      notice: this.#notice,
    });
    if (isTerminal) {
      // The fifth line is the table's head, the last the keys.
      const styled = lines.map((line, index) =>
        index === 5 || index === lines.length - 1 ? `\x1b[7m${line.padEnd(width)}\x1b[0m` : `${line}\x1b[K`,
      );
      process.stdout.write(`\x1b[H${styled.join('\r\n')}`);
    } else {
      process.stdout.write(`${lines.slice(0, -1).join('\n')}\n\n`);
    }
  }

  #onKeys(keys: string): void {
    const rows = Math.max(1, terminalSize().height - frameLines);
    if (keys === '\x1b[B' || keys === '\x1b[6~' || keys === ' ')
      this.#offset = this.#offset + rows < (this.#look?.total ?? 0) ? this.#offset + rows : this.#offset;
    else if (keys === '\x1b[A' || keys === '\x1b[5~') this.#offset = Math.max(0, this.#offset - rows);
    else if (keys === 'q' || keys === 'Q' || keys === '\u0003' || keys === '\x1b') this.#quit();
    else if (keys === '\t') {
      this.#view = this.#view === 'queues' ? 'connections' : 'queues';
      this.#sort = defaultSort(this.#view);
      this.#isReverse = true;
      this.#offset = 0;
    } else if (keys === 'R') this.#isReverse = !this.#isReverse;
    else {
      const column = columns[this.#view].find(({ hotkey }) => hotkey === keys);
      if (column !== undefined) {
        this.#isReverse = column.key === this.#sort ? !this.#isReverse : column.key !== 'name';
        this.#sort = column.key;
        this.#offset = 0;
      }
    }
    this.#wakeUp();
  }

  #quit(): void {
    this.#isOver = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake.abort();
  }
}

/** A terminal that does not know its size is of the usual one. */
function terminalSize(): { width: number; height: number } {
  const { columns: width, rows: height } = process.stdout;
  return { width: width > 0 ? width : 80, height: height > 0 ? height : 24 };
}

function defaultSort(view: View): string {
  return view === 'queues' ? 'messages' : 'recv_oct_details.rate';
}
