import assert from 'node:assert/strict';
import { uiFolder } from '../../../src/server/ui-folder.ts';
import type { ManagedBroker, ManagedOptions } from '../../integration/management/with-management.ts';
import { withManagement } from '../../integration/management/with-management.ts';
import { type OpenOptions, WatchedPage } from './chromium.ts';
import type { Locator, Page } from 'playwright-core';

/** The pages of a running broker, as a browser shows them to a user. */
export class Ui {
  readonly broker: ManagedBroker;
  readonly #pages: WatchedPage[] = [];

  constructor(broker: ManagedBroker) {
    this.broker = broker;
  }

  /** Opens a page and logs in. */
  async open(options: OpenOptions & { readonly user?: string; readonly password?: string } = {}): Promise<UiPage> {
    const watched = await WatchedPage.open(options);
    this.#pages.push(watched);
    const page = new UiPage(watched, this.broker.management.port);
    // Without a session the page asks who is there, and is told that nobody is.
    watched.expectedStatuses.add(401);
    await page.goto('');
    await page.page.getByLabel('User').fill(options.user ?? 'guest');
    await page.page.getByLabel('Password').fill(options.password ?? 'guest');
    await page.page.getByRole('button', { name: 'Log in' }).click();
    await page.page.locator('main.content').waitFor();
    watched.expectedStatuses.delete(401);
    return page;
  }

  /** Fails when anything went wrong on any page. */
  async close(): Promise<void> {
    const wrongs = this.#pages.flatMap(page => page.wrongs);
    await Promise.all(this.#pages.map(page => page.close()));
    assert.deepEqual(wrongs, []);
  }
}

export class UiPage {
  readonly watched: WatchedPage;
  readonly page: Page;
  readonly #port: number;

  constructor(watched: WatchedPage, port: number) {
    this.watched = watched;
    this.page = watched.page;
    this.#port = port;
  }

  /** Goes to a page by its name behind the #. */
  async goto(hash: string): Promise<void> {
    await this.page.goto(`http://127.0.0.1:${this.#port}/#/${hash}`);
  }

  /** Waits until the page has something to show. */
  async settled(): Promise<void> {
    await this.page.locator('h1').first().waitFor();
    await this.page.getByText('Loading …', { exact: true }).first().waitFor({ state: 'detached' });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Waits for the word that an action is done. */
  async said(text: string): Promise<void> {
    await this.page.locator('.toast').filter({ hasText: text }).first().waitFor();
  }
}

/** Runs a test against a broker with its pages. */
export async function withUi(run: (ui: Ui) => Promise<void>, given: ManagedOptions = {}): Promise<void> {
  await withManagement({ ...given, options: { pages: uiFolder, ...given.options } }, async broker => {
    const ui = new Ui(broker);
    try {
      await run(ui);
    } finally {
      await ui.close();
    }
  });
}
