// Service A: a web service with products in its own database. It tells the rest of the world about every change.
//   products.js PORT DATABASE
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import amqp from 'amqplib';
import { deleteProduct, readProducts, saveProduct } from './database.js';

const [port, database] = process.argv.slice(2);
const queue = process.env.QUEUE;

// Publishes with confirms; whatever fails is tried again on a new connection, so the broker may come later or go away.
let channel = null;

async function connect() {
  const connection = await amqp.connect(process.env.BROKER_URL);
  connection.on('error', () => {});
  connection.on('close', () => (channel = null));
  const opened = await connection.createConfirmChannel();
  opened.on('error', () => {});
  await opened.assertQueue(queue, { durable: true });
  return opened;
}

async function publish(kind, data) {
  for (;;) {
    try {
      channel ??= await connect();
      channel.sendToQueue(queue, Buffer.from(JSON.stringify(data)), { contentType: kind, persistent: true });
      await channel.waitForConfirms();
      return;
    } catch {
      channel = null;
      await delay(100);
    }
  }
}

async function handle(method, path, body) {
  const id = Number(path.split('/').at(-1));
  if (method === 'GET') return [200, readProducts(database)];
  if (method === 'POST') {
    const product = { id: (readProducts(database).at(-1)?.id ?? 0) + 1, ...body };
    saveProduct(database, product);
    await publish('product_created', product);
    return [201, product];
  }
  if (method === 'PUT') {
    const product = { ...body, id };
    saveProduct(database, product);
    await publish('product_updated', product);
    return [200, product];
  }
  deleteProduct(database, id);
  await publish('product_deleted', id);
  return [200, id];
}

const server = createServer(async (request, response) => {
  const body = await text(request);
  const [status, value] = await handle(request.method, request.url, body ? JSON.parse(body) : null);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
});
server.listen(Number(port), '127.0.0.1', () => console.log('serving'));
