// Jobs while they run: parallelism, suspension, work queues, pods that end in unusual ways.
import { active, change, events, job, jobStatus, pods, reaches, runs, start, stays } from './shared.mjs';

export default {
  async 'parallelism down to zero and up again, a finished pod between'(t) {
    const first = await start(t, job('wave', { parallelism: 3, completions: 5 }), 3);
    await runs(t, 'wave', first);
    await t.finish(first[0]);
    await reaches(t, 'wave', (s) => s.succeeded === 1 && s.active === 3 && s.ready === 2);
    await change(t, 'wave', { parallelism: 0 });
    await reaches(t, 'wave', (s) => !s.active && s.terminating === 2);
    await pods(t, 'wave');
    for (const p of first.slice(1)) await t.forget(p);
    await reaches(t, 'wave', (s) => s.terminating === 0);
    await change(t, 'wave', { parallelism: 9 });
    const rest = await active(t, 'wave', 4);
    await reaches(t, 'wave', (s) => s.active === 4);
    for (const p of rest) await t.finish(p);
    await reaches(t, 'wave', (s, is) => is('Complete'));
    await pods(t, 'wave');
    await events(t, 'Job', 'wave', 11);
  },

  async 'suspended before any pod is counted, resumed with more parallelism'(t) {
    await start(t, job('odd', { parallelism: 1, completions: 2 }), 1);
    await t.patch('jobs', 'odd', { spec: { suspend: true } }, { pick: (j) => j.metadata.generation });
    await reaches(t, 'odd', (s, is) => is('Suspended') && !s.active && s.terminating === 0);
    await change(t, 'odd', { suspend: false, parallelism: 2 });
    const both = await active(t, 'odd', 2);
    await reaches(t, 'odd', (s) => s.active === 2);
    await t.finish(both[0]);
    await reaches(t, 'odd', (s) => s.succeeded === 1 && s.active === 1 && !s.uncountedTerminatedPods?.succeeded);
    await change(t, 'odd', { suspend: true });
    await reaches(t, 'odd', (s, is) => is('Suspended') && !s.active && s.terminating === 0);
    await change(t, 'odd', { suspend: false });
    const [last] = await active(t, 'odd', 1);
    await t.finish(last);
    await reaches(t, 'odd', (s, is) => is('Complete'));
    await events(t, 'Job', 'odd', 9);
  },

  async 'suspending a finished Job changes nothing'(t) {
    const [p] = await start(t, job('done'), 1);
    await t.finish(p);
    await reaches(t, 'done', (s, is) => is('Complete'));
    await change(t, 'done', { suspend: true });
    await stays(t, 'done', 1500, (s, is) => !is('Suspended') && s.startTime);
    t.show('status', jobStatus(await t.read('jobs', 'done')));
    await change(t, 'done', { suspend: false, parallelism: 4 });
    await stays(t, 'done', 1000, (s) => !s.active);
    await pods(t, 'done');
  },

  async 'a work queue that is suspended after its first success'(t) {
    const three = await start(t, job('queue', { parallelism: 3 }), 3);
    await t.finish(three[0]);
    await reaches(t, 'queue', (s) => s.succeeded === 1 && s.active === 2);
    await change(t, 'queue', { suspend: true });
    await reaches(t, 'queue', (s, is) => is('Suspended') || is('Complete'));
    await t.sleep(1500);
    t.show('later', jobStatus(await t.read('jobs', 'queue')));
    await change(t, 'queue', { suspend: false });
    await reaches(t, 'queue', (s, is) => is('Complete'));
    await events(t, 'Job', 'queue', 4);
  },

  async 'a work queue whose last pods fail after a success'(t) {
    const three = await start(t, job('queue', { parallelism: 3, backoffLimit: 1 }), 3);
    await t.finish(three[0]);
    await reaches(t, 'queue', (s) => s.succeeded === 1 && s.active === 2);
    await t.finish(three[1], 1);
    await reaches(t, 'queue', (s) => s.failed === 1 && s.active === 1);
    await t.finish(three[2], 1);
    await reaches(t, 'queue', (s, is) => is('Failed') || is('Complete'));
    await events(t, 'Job', 'queue', 4);
  },

  async 'evicted, lost and never scheduled pods'(t) {
    const five = await start(t, job('hard', { parallelism: 4, completions: 4, backoffLimit: 20 }), 4);
    await t.status(five[0], { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' });
    await t.status(five[1], { phase: 'Failed' });
    await t.status(five[2], { phase: 'Unknown' });
    await reaches(t, 'hard', (s) => s.failed === 2 && s.active >= 2);
    await pods(t, 'hard');
    await t.status(five[2], { phase: 'Succeeded' });
    await reaches(t, 'hard', (s) => s.succeeded === 1 && s.failed === 2);
  },

  async 'two containers and restarts under OnFailure'(t) {
    const containers = ['one', 'two'].map((name) => ({ name, image: 'example/image' }));
    const status = (name, restartCount) => ({ name, state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, ready: true, started: true, restartCount, image: 'example/image', imageID: '', lastState: {} });
    const two = await start(t, job('sum', { parallelism: 2, completions: 2, backoffLimit: 4 }, { restartPolicy: 'OnFailure', containers, initContainers: [{ name: 'init', image: 'example/image' }] }), 2);
    await t.status(two[0], { phase: 'Running', containerStatuses: [status('one', 1), status('two', 1)] });
    await t.status(two[1], { phase: 'Pending', initContainerStatuses: [status('init', 1)] });
    await stays(t, 'sum', 1200, (s, is) => !is('Failed'));
    await t.status(two[1], { phase: 'Pending', initContainerStatuses: [status('init', 2)] });
    await reaches(t, 'sum', (s, is) => is('Failed'));
    await pods(t, 'sum');
    await events(t, 'Job', 'sum', 5);
  },

  async 'backoffLimit changed while failing'(t) {
    const two = await start(t, job('limit', { parallelism: 2, completions: 2, backoffLimit: 3 }), 2);
    await t.finish(two[0], 1);
    await reaches(t, 'limit', (s) => s.failed === 1);
    await change(t, 'limit', { backoffLimit: 0 });
    await reaches(t, 'limit', (s, is) => is('Failed'));
    await change(t, 'limit', { backoffLimit: 10 });
    await stays(t, 'limit', 1000, (s, is) => is('Failed'));
    await events(t, 'Job', 'limit', 4);
  },

  async 'labels, annotations and finalizers of the Job do not reach its pods'(t) {
    const object = job('meta', { completions: 1 }, {}, { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.com/f'] });
    object.spec.template.metadata = { labels: { x: 'y', 'job-name': 'meta' }, annotations: { n: 'o' }, finalizers: ['example.com/g'], name: 'ignored', generateName: 'ignored-', namespace: 'ignored' };
    await t.create('jobs', object, { pick: (j) => j.message ?? [j.metadata, j.spec.template.metadata, j.spec.selector] });
    const [p] = await active(t, 'meta', 1);
    t.show('pod', (await t.read('pods', p.metadata.name)).metadata);
    await t.patch('pods', p.metadata.name, { metadata: { finalizers: ['batch.kubernetes.io/job-tracking'] } }, { pick: (b) => b.metadata.finalizers });
    await t.patch('jobs', 'meta', { metadata: { finalizers: null } }, { pick: (b) => b.metadata.finalizers ?? 'none' });
  },
};
