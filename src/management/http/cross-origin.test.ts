import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corsHeaders, isForeign, preflightHeaders } from './cross-origin.ts';

const host = 'broker:15672';

test("tools and the server's own pages are not foreign, other sites are", () => {
  assert.equal(isForeign({ host }, []), false);
  assert.equal(isForeign({ host, origin: 'http://broker:15672' }, []), false);
  assert.equal(isForeign({ host, 'sec-fetch-site': 'same-origin' }, []), false);
  assert.equal(isForeign({ host, 'sec-fetch-site': 'none' }, []), false);
  assert.equal(isForeign({ host, origin: 'http://evil' }, []), true);
  assert.equal(isForeign({ host, origin: 'http://broker:80' }, []), true);
  assert.equal(isForeign({ host, origin: 'null' }, []), true);
  assert.equal(isForeign({ host, 'sec-fetch-site': 'cross-site' }, []), true);
  assert.equal(isForeign({ host, origin: 'http://friend' }, ['http://friend']), false);
});

test('nothing is shared with other origins unless it was configured', () => {
  const headers = { host, origin: 'http://friend', 'access-control-request-method': 'PUT' };
  assert.deepEqual(corsHeaders(headers, []), {});
  assert.deepEqual(preflightHeaders(headers, [], 'GET, PUT', 10), {});
  assert.equal(corsHeaders(headers, ['http://friend'])['access-control-allow-origin'], 'http://friend');
  assert.equal(corsHeaders(headers, ['http://friend'])['access-control-allow-credentials'], 'true');
  assert.equal(corsHeaders(headers, ['*'])['access-control-allow-origin'], '*');
  assert.equal(corsHeaders(headers, ['*'])['access-control-allow-credentials'], undefined);
  assert.equal(preflightHeaders(headers, ['http://friend'], 'GET, PUT', 10)['access-control-allow-methods'], 'GET, PUT');
});
