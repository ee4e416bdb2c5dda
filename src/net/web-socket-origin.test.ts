import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOriginAllowed } from './web-socket-origin.ts';

const away = { host: 'mq.example.com:15674', peerHost: '203.0.113.9' };
const local = { host: 'localhost:15674', peerHost: '127.0.0.1' };

test('a client without origin is no browser and may connect', () => {
  assert.equal(isOriginAllowed({ ...away, origin: undefined }, []), true);
  assert.equal(isOriginAllowed({ ...local, origin: undefined }, []), true);
});

test('pages of the same host may connect, on any port, others not', () => {
  assert.equal(isOriginAllowed({ ...away, origin: 'https://mq.example.com' }, []), true);
  assert.equal(isOriginAllowed({ ...away, origin: 'http://MQ.example.com:8080' }, []), true);
  assert.equal(isOriginAllowed({ ...away, origin: 'https://example.com' }, []), false);
  assert.equal(isOriginAllowed({ ...away, origin: 'https://mq.example.com.evil.test' }, []), false);
  assert.equal(isOriginAllowed({ ...away, host: undefined, origin: 'https://mq.example.com' }, []), false);
});

test('from this machine only pages with a name of this machine may connect, whatever a name resolves to', () => {
  for (const host of ['localhost', '127.0.0.1', '[::1]', 'app.localhost']) {
    assert.equal(isOriginAllowed({ peerHost: '127.0.0.1', host: `${host}:15674`, origin: `http://${host}:3000` }, []), true, host);
  }
  assert.equal(isOriginAllowed({ ...local, host: 'evil.test:15674', origin: 'http://evil.test' }, []), false);
  assert.equal(isOriginAllowed({ ...local, origin: 'http://evil.test' }, []), false);
});

test('listed origins may connect from everywhere; a star stands for all, not for what has no origin to tell', () => {
  assert.equal(isOriginAllowed({ ...local, origin: 'https://shop.example.com' }, ['https://shop.example.com']), true);
  assert.equal(isOriginAllowed({ ...local, origin: 'https://SHOP.example.com' }, ['https://shop.EXAMPLE.com']), true);
  assert.equal(isOriginAllowed({ ...local, origin: 'https://shop.example.com:444' }, ['https://shop.example.com']), false);
  assert.equal(isOriginAllowed({ ...local, origin: 'http://anything.test' }, ['*']), true);
  assert.equal(isOriginAllowed({ ...local, origin: 'null' }, []), false);
  assert.equal(isOriginAllowed({ ...local, origin: 'null' }, ['null']), true);
});
