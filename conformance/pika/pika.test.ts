import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({ client: 'pika', from: { debian: ['python3-pika'] }, programs: programsIn('pika', 'py', ['session.py']) });
