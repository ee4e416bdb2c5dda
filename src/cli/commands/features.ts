import { ApiError } from '../api-error.ts';
import { CliError, exitCodes, invalid } from '../cli-error.ts';
import { type Command, commandsOf, segment } from '../command.ts';

const define = commandsOf('Feature flags', ['rabbitmqctl']);
const columnsOfFlag = ['name', 'state', 'stability', 'provided_by', 'desc', 'doc_url'];

export const features: readonly Command[] = [
  define(
    'list_feature_flags [<column> ...]',
    [0, Infinity],
    `Lists feature flags; all are on. Columns: ${columnsOfFlag.join(', ')}; name, state by default.`,
    ['list_feature_flags name state'],
    async ({ api, out, args }) => {
      const columns = args.length > 0 ? args : ['name', 'state'];
      const unknown = columns.filter(name => !columnsOfFlag.includes(name));
      if (unknown.length > 0) throw invalid(`Info key(s) ${unknown.join(',')} are not supported`);
      out.say('Listing feature flags ...');
      const list = await api.list('/feature-flags');
      out.list({ columns, rows: list.map(flag => columns.map(name => flag[name])) });
    },
    { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
  ),
  define(
    'enable_feature_flag <feature_flag> | all',
    [1, 1],
    'Does nothing but check the name: all feature flags are on.',
    ['enable_feature_flag all'],
    async context => {
      const [name = ''] = context.args;
      context.out.say(name === 'all' ? 'Enabling all feature flags ...' : `Enabling feature flag "${name}" ...`);
      const node = await context.node();
      if (name === 'all') return;
      try {
        await context.api.put(`/feature-flags/${segment(name)}/enable`, {});
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== 'unsupported') throw error;
        throw new CliError(`This feature flag is not supported by node ${node}`, exitCodes.usage);
      }
    },
    { options: ['opt', 'experimental'] },
  ),
  define(
    'list_deprecated_features [<column> ...]',
    [0, Infinity],
    'Lists deprecated features: there are none.',
    ['list_deprecated_features'],
    async ({ api, out }) => {
      out.say('Listing deprecated features ...');
      const list = await api.list('/deprecated-features');
      out.list({ columns: ['name', 'deprecation_phase'], rows: list.map(item => [item['name'], item['deprecation_phase']]) });
    },
    { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
  ),
];
