// States that last for a second: pods that were never bound to a node are deleted.
import { change, job, pods, reaches, start } from './shared.mjs';

export default {
  async 'suspended with unbound pods'(t) {
    await start(t, job('a', { parallelism: 2, completions: 2 }), 2);
    await reaches(t, 'a', (s) => s.active === 2);
    await change(t, 'a', { suspend: true });
    await reaches(t, 'a', (s) => !s.active);
    await pods(t, 'a');
  },

  async 'failed with unbound pods'(t) {
    const [p] = await start(t, job('a', { parallelism: 3, completions: 3, backoffLimit: 0 }), 3);
    await reaches(t, 'a', (s) => s.active === 3);
    await t.finish(p, 1);
    await reaches(t, 'a', (s) => s.failed);
    await reaches(t, 'a', (s, is) => is('Failed'));
  },

  async 'SuccessCriteriaMet with unbound pods'(t) {
    const [p] = await start(t, job('a', { parallelism: 3, completions: 3, completionMode: 'Indexed', successPolicy: { rules: [{ succeededCount: 1 }] } }), 3);
    await reaches(t, 'a', (s) => s.active === 3);
    await t.finish(p, 0);
    await reaches(t, 'a', (s, is) => is('SuccessCriteriaMet'));
    await reaches(t, 'a', (s, is) => is('Complete'));
  },
};
