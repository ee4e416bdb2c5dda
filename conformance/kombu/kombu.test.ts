import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({ client: 'kombu', from: { debian: ['python3-kombu', 'python3-amqp'] }, programs: programsIn('kombu', 'py', ['session.py']) });
