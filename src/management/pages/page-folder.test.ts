import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PageFolder } from './page-folder.ts';

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'warren-pages-'));
  const folder = join(root, 'ui');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(root, 'secret.js'), 'secret');
  writeFileSync(join(folder, 'key'), 'key');
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'favicon.svg'), '<svg/>');
  writeFileSync(join(folder, 'assets', 'app-ABC.js'), 'plain');
  writeFileSync(join(folder, 'assets', 'app-ABC.js.gz'), 'small');
  try {
    await run(folder);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('the page is asked for anew each time, its assets are kept for ever', async () => {
  await withFolder(async folder => {
    const pages = new PageFolder(async () => folder);
    const page = await pages.get('/', {});
    assert.deepEqual([page?.status, page?.bytes?.toString(), page?.headers?.['cache-control']], [200, '<!doctype html>', 'no-cache']);
    assert.equal((await pages.get('/index.html', {}))?.headers?.['content-type'], 'text/html; charset=utf-8');
    const script = await pages.get('/assets/app-ABC.js', {});
    assert.deepEqual([script?.bytes?.toString(), script?.headers?.['content-encoding']], ['plain', undefined]);
    assert.match(script?.headers?.['cache-control'] ?? '', /immutable/);
    assert.equal((await pages.get('/favicon.ico', {}))?.headers?.['content-type'], 'image/svg+xml');
  });
});

test('a client that takes gzip gets the compressed file where there is one', async () => {
  await withFolder(async folder => {
    const pages = new PageFolder(async () => folder);
    const headers = { 'accept-encoding': 'gzip, br' };
    const script = await pages.get('/assets/app-ABC.js', headers);
    assert.deepEqual([script?.bytes?.toString(), script?.headers?.['content-encoding']], ['small', 'gzip']);
    assert.equal((await pages.get('/', headers))?.headers?.['content-encoding'], undefined);
  });
});

test('no path leads to a file that is no page', async () => {
  await withFolder(async folder => {
    const pages = new PageFolder(async () => folder);
    const paths = [
      '/key',
      '/assets/../key',
      '/assets/../../secret.js',
      '/../secret.js',
      '/assets/..%2f..%2fsecret.js',
      '/assets/app-ABC.js.gz',
      '/assets/',
      '/assets/none.js',
      '/assets/app-ABC.js\0.js',
      '//assets/app-ABC.js',
      '/queues',
    ];
    for (const path of paths) assert.equal(await pages.get(path, {}), null, path);
  });
});

test('pages that are not there are told of, and looked for again', async () => {
  await withFolder(async folder => {
    let isThere = false;
    const pages = new PageFolder(async () => {
      if (!isThere) throw new Error('it could not be built');
      return folder;
    });
    const reply = await pages.get('/', {});
    assert.equal(reply?.status, 503);
    assert.match(reply?.text ?? '', /it could not be built/);
    isThere = true;
    assert.equal((await pages.get('/', {}))?.status, 200);
  });
});
