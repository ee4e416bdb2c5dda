import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({ client: 'rabbitmq-client', from: 'npm', programs: programsIn('rabbitmq-client', 'js', ['session.js']) });
