// A headless Chromium, Debian's own, installed when it is absent.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ensureDebianPackages } from '../../../conformance/support/debian.ts';

const executablePath = '/usr/bin/chromium';
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Where screenshots are kept; not under version control. */
const outputFolder = join(import.meta.dirname, '..', 'output');

/** Why the browser's tests cannot run on this machine; null when they can. */
export const reasonToSkip: string | null = ensureDebianPackages('chromium', 'fonts-dejavu-core');

let launched: Promise<Browser> | null = null;

/** The browser of this test file. */
export function browser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath, args: flags });
  return launched;
}

export async function closeBrowser(): Promise<void> {
  if (launched !== null) await (await launched).close();
  launched = null;
}

export type Theme = 'light' | 'dark';

export interface OpenOptions {
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
}

/** A page in a browser profile of its own, which notes everything that must not happen. */
export class WatchedPage {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #wrongs: string[] = [];
  /** Statuses of refusals that the test brings about on purpose. */
  readonly expectedStatuses = new Set<number>();

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', error => this.#wrongs.push(`uncaught: ${error.message}`));
    page.on('console', message => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const status = /status of (\d+)/.exec(message.text())?.[1];
      if (status !== undefined && this.expectedStatuses.has(Number(status))) return;
      this.#wrongs.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('dialog', dialog => {
      this.#wrongs.push(`a script of a name ran: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', request => {
      const { protocol, hostname } = new URL(request.url());
      if (hostname !== '127.0.0.1' && protocol.startsWith('http')) this.#wrongs.push(`a foreign host: ${request.url()}`);
    });
  }

  static async open({ theme = 'light', width = 1320, height = 860 }: OpenOptions = {}): Promise<WatchedPage> {
    const context = await (await browser()).newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' });
    return new WatchedPage(context, await context.newPage());
  }

  /** What went wrong since the page was opened. */
  get wrongs(): readonly string[] {
    return this.#wrongs;
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(outputFolder, { recursive: true });
    await this.page.screenshot({ path: join(outputFolder, `${name}.png`), animations: 'disabled' });
  }

  /** Violations that axe-core finds in what is shown: rule, and where. */
  async accessibilityViolations(): Promise<string[]> {
    const isLoaded = await this.page.evaluate("typeof window.axe !== 'undefined'");
    if (isLoaded !== true) await this.page.evaluate(axeSource());
    const found = await this.page.evaluate("window.axe.run(document, { resultTypes: ['violations'] })");
    const { violations } = found as {
      violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
    };
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} at ${target.join(' ')}`));
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}

let axe: string | null = null;

function axeSource(): string {
  axe ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return axe;
}
