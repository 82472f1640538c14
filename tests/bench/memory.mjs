// What is read of memory: the stages of a cell, each the growth of the proxy's anonymous memory since before the first
// connection, in KiB of each connection.

const anonymous = (stage) => (reading) => reading.memory?.[stage]?.anonymous;

// `judged` are those that a goal is about: whatever a tunnel has done, an idle one is an idle one.
const all = {
  'idle-8000': [
    { label: 'after the 101', pick: anonymous('after_101'), judged: true },
    { label: 'after a message each way', pick: anonymous('after_message'), judged: true },
    { label: 'after a burst of 8 on all', pick: anonymous('after_burst'), judged: true },
    { label: 'after all closed', pick: anonymous('after_close') },
  ],
  'keepalive-8000': [
    { label: 'after a request', pick: anonymous('after_get') },
    { label: 'after all closed', pick: anonymous('after_close') },
  ],
};

export const stages = (cell) => all[cell];
