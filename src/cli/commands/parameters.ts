import { orMissing } from '../api-error.ts';
import { type Command, commandsOf, segment } from '../command.ts';
import { jsonArgument, noParameter, requireVhost } from './missing.ts';

const define = commandsOf('Parameters', ['rabbitmqctl']);
const shown = { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] } as const;

export const parameters: readonly Command[] = [
  define(
    'set_parameter [--vhost <vhost>] <component_name> <name> <value>',
    [3, 3],
    'Sets a runtime parameter. The value is JSON.',
    [`set_parameter -p shop vhost-limits limits '{"max-queues":100}'`],
    async ({ api, out, args, vhost }) => {
      const [component = '', name = '', text = ''] = args;
      out.say(`Setting runtime parameter "${name}" for component "${component}" to "${text}" in vhost "${vhost}" ...`);
      const value = jsonArgument(text);
      await api.put(`/parameters/${segment(component)}/${segment(vhost)}/${segment(name)}`, { value, component, name, vhost });
    },
  ),
  define(
    'clear_parameter [--vhost <vhost>] <component_name> <name>',
    [2, 2],
    'Clears a runtime parameter.',
    ['clear_parameter -p shop vhost-limits limits'],
    async ({ api, out, args, vhost }) => {
      const [component = '', name = ''] = args;
      out.say(`Clearing runtime parameter "${name}" for component "${component}" on vhost "${vhost}" ...`);
      await orMissing(api.delete(`/parameters/${segment(component)}/${segment(vhost)}/${segment(name)}`), noParameter);
    },
  ),
  define(
    'list_parameters [--vhost <vhost>] [--no-table-headers]',
    [0, 0],
    'Lists runtime parameters for a virtual host.',
    ['list_parameters -p shop'],
    async context => {
      context.out.say(`Listing runtime parameters for vhost "${context.vhost}" ...`);
      await requireVhost(context);
      const list = await context.api.list('/parameters');
      context.out.list({
        columns: ['component', 'name', 'value'],
        rows: list
          .filter(item => item['vhost'] === context.vhost)
          .map(item => [item['component'], item['name'], JSON.stringify(item['value'])]),
      });
    },
    shown,
  ),
  define(
    'set_global_parameter <name> <value>',
    [2, 2],
    'Sets a runtime parameter that belongs to no virtual host. The value is JSON.',
    [`set_global_parameter cluster_tags '{"region":"eu"}'`],
    async ({ api, out, args }) => {
      const [name = '', text = ''] = args;
      out.say(`Setting global runtime parameter "${name}" to "${text}" ...`);
      await api.put(`/global-parameters/${segment(name)}`, { value: jsonArgument(text), name });
    },
  ),
  define(
    'clear_global_parameter <name>',
    [1, 1],
    'Clears a global runtime parameter.',
    ['clear_global_parameter cluster_tags'],
    async ({ api, out, args }) => {
      const [name = ''] = args;
      out.say(`Clearing global runtime parameter "${name}" ...`);
      await orMissing(api.delete(`/global-parameters/${segment(name)}`), noParameter);
    },
  ),
  define(
    'list_global_parameters [--no-table-headers]',
    [0, 0],
    'Lists global runtime parameters.',
    ['list_global_parameters --formatter json'],
    async ({ api, out }) => {
      out.say('Listing global runtime parameters ...');
      const list = await api.list('/global-parameters');
      out.list({ columns: ['name', 'value'], rows: list.map(item => [item['name'], JSON.stringify(item['value'])]) });
    },
    shown,
  ),
];
