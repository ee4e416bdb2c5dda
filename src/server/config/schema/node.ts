import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { path, someText, text } from '../value-type.ts';

/** The version of RabbitMQ whose behaviour clients are promised. They switch features on it. */
export const ADVERTISED_VERSION = '3.13.7';

export const NODE = {
  dataDir: key('warren.data_dir', path, './data', 'Directory that everything durable is kept in. (--data-dir, WARREN_DATA_DIR)'),
  productName: key('product.name', someText, 'RabbitMQ', '`product` in the server properties that clients see.', {
    aliases: ['warren.product_name'],
  }),
  productVersion: key(
    'warren.product_version',
    someText,
    ADVERTISED_VERSION,
    '`version` in the server properties: the RabbitMQ version whose behaviour clients may expect.',
    {
      aliases: ['product.version'],
    },
  ),
  clusterName: optionalKey('cluster_name', someText, 'Name of the cluster that clients and operators see.', {
    defaultText: 'the node name',
  }),
  clusterTags: familyKey('cluster_tags.$name', text, 'A label of the cluster.'),
  nodeTags: familyKey('node_tags.$name', text, 'A label of this node.'),
};

const ONE_NODE = 'a broker is one node';

export const NODE_AREA: Area = {
  title: 'Node and cluster',
  introduction: 'Relative paths, here and everywhere, are taken from the directory in which the broker is started.',
  keys: [
    ...Object.values(NODE),
    ignoredKey('motd_file', 'there is no message of the day'),
    ignoredKey('cluster_partition_handling', ONE_NODE),
    ignoredKey('cluster_partition_handling.**', ONE_NODE),
    ignoredKey('cluster_formation.**', ONE_NODE),
    ignoredKey('cluster_keepalive_interval', ONE_NODE),
    ignoredKey('net_ticktime', ONE_NODE),
    ignoredKey('distribution.**', ONE_NODE),
    ignoredKey('mnesia_table_loading_retry_timeout', ONE_NODE),
    ignoredKey('mnesia_table_loading_retry_limit', ONE_NODE),
    ignoredKey('metadata_store.**', ONE_NODE),
    ignoredKey('aws.**', ONE_NODE),
  ],
};
