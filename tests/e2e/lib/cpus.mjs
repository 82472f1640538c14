// CPUs as the kernel lists them.
import { readFileSync } from 'node:fs';

// "0-2,5" to [0, 1, 2, 5].
export function cpusOf(list) {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

// What /proc says of a process or a thread under a name: a line's text.
export const field = (file, name) => readFileSync(file, 'utf8').match(new RegExp(`^${name}:\\s*(.*)$`, 'm'))[1];

// Those that this process may use.
export const usable = cpusOf(field('/proc/self/status', 'Cpus_allowed_list'));
