// What a node of these clusters takes on its command line; settings.cpp has the same flags, but for --driver.
import { parseArgs } from 'node:util';

const string = (value) => ({ type: 'string', default: value });
const boolean = { type: 'boolean', default: false };

const { values } = parseArgs({
  options: {
    id: string('nodejs'),
    redis: { type: 'string' },
    driver: string('ioredis'), // or redis: node-redis
    adapter: string('classic'), // or sharded, streams
    mode: string('dynamic'),
    key: string('socket.io'),
    specific: boolean,
    stream: string('socket.io'),
    'stream-count': string('1'),
    'max-length': string('10000'),
    'sharded-pubsub': boolean,
    plaintext: boolean,
    recovery: string('0'), // maxDisconnectionDuration, 0: off
    eager: boolean, // Node.js' adapter knows no such thing
    namespace: { type: 'string', multiple: true, default: [] },
  },
});

const number = (name) => Number(values[name]);

export const flags = { ...values, recovery: number('recovery') };
export const options = {
  ...(number('recovery') && { connectionStateRecovery: { maxDisconnectionDuration: number('recovery') } }),
};
export const adapterOptions = {
  classic: { key: values.key, publishOnSpecificResponseChannel: values.specific },
  sharded: { channelPrefix: values.key, subscriptionMode: values.mode },
  streams: {
    streamName: values.stream, streamCount: number('stream-count'), maxLen: number('max-length'), channelPrefix: values.key,
    useShardedPubSub: values['sharded-pubsub'], onlyPlaintext: values.plaintext,
  },
}[values.adapter];
