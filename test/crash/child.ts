// A broker in a process of its own, to be killed: prints its URL. Usage: child.ts DATA_DIR
import { Broker } from '../../src/index.ts';

const broker = await Broker.start({ dataDir: process.argv[2] as string });
console.log(broker.amqpUrl);
process.on('SIGTERM', () => void broker.stop().then(() => process.exit(0)));
