// The yardstick of scenario K: a server on Node's sockets alone that answers what connections say in their life with the same few bytes each time,
// whatever they say. Prints its port. What a broker needs beyond it for a connection is its own; the rest is Node's and the kernel's.
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { defaultSettings } from '../../src/core/settings.ts';
import { serverProperties } from '../../src/protocols/amqp091/server-properties.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';

const answers: readonly Buffer[] = [
  methods.encodeConnectionStart(0, {
    versionMajor: 0,
    versionMinor: 9,
    serverProperties: serverProperties(defaultSettings, 'bare'),
    mechanisms: Buffer.from('PLAIN AMQPLAIN'),
    locales: Buffer.from('en_US'),
  }),
  methods.encodeConnectionTune(0, { channelMax: 2047, frameMax: 131_072, heartbeat: 60 }),
  methods.encodeConnectionOpenOk(0),
  methods.encodeChannelOpenOk(1),
  methods.encodeConnectionCloseOk(0),
];

const server = net.createServer({ noDelay: true }, socket => {
  let said = 0;
  socket.on('data', () => {
    const answer = answers[said++];
    if (answer !== undefined) socket.write(answer);
  });
  socket.on('end', () => socket.destroy());
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
