import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formFile } from './form-data.ts';

const type = 'multipart/form-data; boundary=----x';

function form(parts: readonly (readonly [head: string, content: string])[]): Buffer {
  return Buffer.from(`${parts.map(([head, content]) => `------x\r\n${head}\r\n\r\n${content}\r\n`).join('')}------x--\r\n`);
}

test('the part called file is found, and taken as it is', () => {
  const body = form([
    ['content-disposition: form-data; name="other"', 'no'],
    ['Content-Disposition: form-data; name="file"; filename="d.json"\r\nContent-Type: application/json', '{"a":\r\n1}'],
  ]);
  assert.equal(formFile(type, body)?.toString(), '{"a":\r\n1}');
  assert.equal(formFile('multipart/form-data; boundary="----x"', body)?.toString(), '{"a":\r\n1}');
});

test('without a part of that name the first one is taken', () => {
  assert.equal(formFile(type, form([['Content-Disposition: form-data; name="definitions"', '{}']]))?.toString(), '{}');
});

test('what is no form is none', () => {
  assert.equal(formFile('application/json', Buffer.from('{}')), null);
  assert.equal(formFile(null, Buffer.from('{}')), null);
  assert.equal(formFile(type, Buffer.from('{}')), null);
  assert.equal(formFile(type, Buffer.alloc(0)), null);
});
