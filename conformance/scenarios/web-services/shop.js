// Service B: a web service that shows the products in its own database.
//   shop.js PORT DATABASE
import { createServer } from 'node:http';
import { readProducts } from './database.js';

const [port, database] = process.argv.slice(2);
const server = createServer((_request, response) => response.end(JSON.stringify(readProducts(database))));
server.listen(Number(port), '127.0.0.1', () => console.log('serving'));
