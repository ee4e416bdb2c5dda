import { clientSuite, programsIn } from '../support/suite.ts';

clientSuite({ client: 'bunny', from: { debian: ['ruby-bunny'] }, programs: programsIn('bunny', 'rb', ['session.rb']) });
