// podFailurePolicy, podReplacementPolicy, deadlines, TTL, managedBy, template changes while suspended.
import { active, change, ended, events, job, jobStatus, now, pods, reaches, runs, start, stays } from './shared.mjs';

const rules = (...list) => ({ podFailurePolicy: { rules: list } });
const two = { containers: [{ name: 'main', image: 'example/image' }, { name: 'side', image: 'example/image' }], initContainers: [{ name: 'init', image: 'example/image' }] };
const fail = (t, p, statuses, more = {}) => t.status(p, { phase: 'Failed', containerStatuses: statuses, ...more });
const exit = (action, values, more = {}) => ({ action, onExitCodes: { operator: 'In', values, ...more } });

export default {
  async 'messages of FailJob: which container, which rule'(t) {
    const cases = {
      side: { statuses: [ended('main', 0), ended('side', 7)], list: [exit('FailJob', [7])] },
      both: { statuses: [ended('main', 9), ended('side', 7)], list: [exit('Count', [100]), exit('FailJob', [7, 9])] },
      named: { statuses: [ended('main', 7), ended('side', 7)], list: [exit('FailJob', [7], { containerName: 'side' })] },
      init: { init: [ended('init', 7)], statuses: [], list: [exit('Ignore', [1]), exit('Ignore', [2]), exit('FailJob', [7], { containerName: 'init' })] },
      notin: { statuses: [ended('main', 137)], list: [{ action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [1, 2] } }] },
      cond: { conditions: [{ type: 'DisruptionTarget', status: 'True' }, { type: 'Other', status: 'False' }], statuses: [ended('main', 1)], list: [{ action: 'FailJob', onPodConditions: [{ type: 'Other', status: 'False' }] }] },
      cond2: { conditions: [{ type: 'DisruptionTarget', status: 'True' }], statuses: [], list: [exit('FailJob', [3]), { action: 'FailJob', onPodConditions: [{ type: 'ConfigIssue', status: 'Unknown' }, { type: 'DisruptionTarget', status: 'True' }] }] },
    };
    for (const [name, { statuses, init, conditions, list }] of Object.entries(cases)) {
      const [p] = await start(t, job(name, rules(...list), two), 1);
      await fail(t, p, statuses, { ...(init && { initContainerStatuses: init }), ...(conditions && { conditions }) });
      await reaches(t, name, (s, is) => is('Failed'));
      await events(t, 'Job', name, 2);
    }
  },

  async 'failures that match nothing: no status, running containers, exit code 0, unknown names'(t) {
    const list = [{ action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [5] } }];
    const four = await start(t, job('nothing', { ...rules(...list), parallelism: 4, completions: 4 }, two), 4);
    await fail(t, four[0], []);
    await fail(t, four[1], [ended('main', 0), ended('side', 0)]);
    await fail(t, four[2], [{ ...ended('main', 1), state: { running: { startedAt: now() } } }, { ...ended('side', 1), state: { waiting: { reason: 'x' } }, lastState: { terminated: { exitCode: 9 } } }]);
    await reaches(t, 'nothing', (s) => s.failed === 3);
    await fail(t, four[3], [ended('main', 5), ended('side', 0)]);
    await reaches(t, 'nothing', (s) => s.failed === 4);
  },

  async 'Ignore under backoffLimit 0'(t) {
    const both = await start(t, job('spare', { ...rules({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }, exit('Ignore', [42])), parallelism: 2, completions: 2, backoffLimit: 0 }), 2);
    await t.status(both[0], { phase: 'Failed', reason: 'Evicted', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }] });
    await t.sleep(1500);
    t.show('status', jobStatus(await t.read('jobs', 'spare')));
    await t.finish(both[1], 42);
    await t.sleep(1500);
    t.show('status', jobStatus(await t.read('jobs', 'spare')));
    await pods(t, 'spare');
  },

  async 'podReplacementPolicy Failed with an Indexed Job'(t) {
    const both = await start(t, job('idx', { podReplacementPolicy: 'Failed', completionMode: 'Indexed', parallelism: 2, completions: 3 }), 2);
    await runs(t, 'idx', both);
    await t.delete('pods', both[0].metadata.name, undefined, { label: 'delete', pick: (b) => b.metadata.deletionGracePeriodSeconds });
    await reaches(t, 'idx', (s) => s.terminating === 1 && s.active === 1);
    await t.finish(both[1], 0);
    await reaches(t, 'idx', (s) => s.succeeded === 1 && s.active === 1);
    await pods(t, 'idx');
    await t.finish(both[0], 0);
    await reaches(t, 'idx', (s) => s.succeeded === 2);
    await t.forget(both[0]);
    await reaches(t, 'idx', (s) => s.terminating === 0);
  },

  async 'template changes of a suspended Job that has run'(t) {
    await start(t, job('tuned', { suspend: false }), 1);
    await reaches(t, 'tuned', (s) => s.active === 1);
    await change(t, 'tuned', { suspend: true });
    await reaches(t, 'tuned', (s, is) => is('Suspended') && !s.active && s.terminating === 0);
    await t.patch('jobs', 'tuned', { spec: { template: { spec: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }], schedulingGates: [{ name: 'example.com/g' }], affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'z', operator: 'Exists' }] }] } } } }, metadata: { labels: { l: 'm' }, annotations: { n: 'o' } } } } }, { pick: (j) => j.message ?? j.metadata.generation });
    await t.patch('jobs', 'tuned', { spec: { template: { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }] } } } }, { type: 'strategic', pick: (j) => j.message ?? j.spec.template.spec.containers[0].resources });
    for (const [what, spec] of Object.entries({ image: { containers: [{ name: 'main', image: 'other' }] }, priorityClassName: { priorityClassName: 'system-node-critical' }, restartPolicy: { restartPolicy: 'OnFailure' }, serviceAccountName: { serviceAccountName: 'x' }, runtimeClassName: { runtimeClassName: 'x' }, terminationGracePeriodSeconds: { terminationGracePeriodSeconds: 4 } })) {
      await t.patch('jobs', 'tuned', { spec: { template: { spec } } }, { type: 'strategic', label: `change ${what}`, pick: (j) => (j.message ? [j.reason, j.details?.causes?.map((c) => [c.reason, c.field])] : j.metadata.generation) });
    }
    await change(t, 'tuned', { suspend: false });
    const [p] = await active(t, 'tuned', 1);
    t.show('pod', [p.metadata.labels.l, p.metadata.annotations, p.spec.nodeSelector, p.spec.tolerations, p.spec.schedulingGates, p.spec.affinity, p.spec.containers[0].resources, p.status.conditions?.map((c) => [c.type, c.reason])]);
    await t.patch('jobs', 'tuned', { spec: { template: { spec: { nodeSelector: null } } } }, { label: 'too late', pick: (j) => (j.message ? [j.reason, j.details?.causes?.map((c) => [c.reason, c.field])] : 'taken') });
  },

  async 'ttl added, lowered and taken away after the end'(t) {
    const [p] = await start(t, job('keep', { ttlSecondsAfterFinished: 1000 }), 1);
    await t.finish(p);
    await reaches(t, 'keep', (s, is) => is('Complete'));
    await change(t, 'keep', { ttlSecondsAfterFinished: null });
    await stays(t, 'keep', 1500, (s, is) => is('Complete'));
    await change(t, 'keep', { ttlSecondsAfterFinished: -1 });
    await change(t, 'keep', { ttlSecondsAfterFinished: 1 });
    await t.until('it is gone', async () => !(await t.read('jobs', 'keep')));
    await t.until('its pod is gone', async () => (await t.podsOf('keep')).length === 0);
  },
};
