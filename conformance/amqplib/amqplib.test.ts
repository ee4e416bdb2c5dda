import { clientSuite, programsIn } from '../support/suite.ts';

const programs = programsIn('amqplib', 'js', ['session.js']);

clientSuite({ client: 'amqplib', from: 'npm', programs, env: { AMQPLIB: 'amqplib' } });
// The line that most programs in the field still depend on. It has no recovery of its own.
const older = programs.filter(program => program !== 'recovery.js');
clientSuite({ client: 'amqplib', name: 'amqplib 0.10', from: 'npm', programs: older, env: { AMQPLIB: 'amqplib-0.10' } });
