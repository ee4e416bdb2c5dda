import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({ client: 'py-amqp', from: { debian: ['python3-amqp'] }, programs: programsIn('py-amqp', 'py', ['session.py']) });
