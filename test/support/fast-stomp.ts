// A STOMP 1.2 client for campaigns: frames go to a callback.
import type net from 'node:net';
import { encodeFrame, type Frame, frameHead, frameTail, type Header } from '../../src/wire/stomp/frame.ts';
import { FrameReader, type FrameVisitor } from '../../src/wire/stomp/frame-reader.ts';
import { FastConnection } from './fast-connection.ts';

const frameBytesMax = 16 * 1024 * 1024;

export class FastStomp extends FastConnection implements FrameVisitor {
  readonly #reader = new FrameReader(frameBytesMax);
  #onFrame: (frame: Frame) => void;

  private constructor(socket: net.Socket, onFrame: (frame: Frame) => void) {
    super(socket);
    this.#onFrame = onFrame;
  }

  /** Logs in. The body of a frame is to be read within the call. @throws Error when the broker does not take the connection */
  static async connect(port: number, onFrame: (frame: Frame) => void): Promise<FastStomp> {
    const socket = await FastConnection.open(port);
    return new Promise((resolve, reject) => {
      const client = new FastStomp(socket, ({ command }) => {
        client.#onFrame = onFrame;
        if (command === 'CONNECTED') resolve(client);
        else reject(new Error(`${command} in place of CONNECTED`));
      });
      void client.closed.then(() => reject(new Error('the connection ended')));
      const login: Header[] = [
        ['accept-version', '1.2'],
        ['host', '/'],
        ['login', 'guest'],
        ['passcode', 'guest'],
      ];
      client.write(encodeFrame('CONNECT', login));
    });
  }

  send(command: string, headers: readonly Header[], body?: Buffer): void {
    if (body === undefined) this.write(encodeFrame(command, headers));
    else this.write(Buffer.concat([Buffer.from(frameHead(command, headers, body.length)), body, frameTail]));
  }

  protected received(bytes: Buffer): void {
    this.#reader.push(bytes, 0, bytes.length, this);
  }

  onFrame(frame: Frame): boolean {
    this.#onFrame(frame);
    return this.isOpen;
  }
}
