// Played against a real control plane and recorded: networking, autoscalers and the kinds that are rarely made by hand.
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"').replace(/^(Resource Version:).*/, '$1')), stderr });
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
export default {
  async 'networking: ingresses, classes, policies'(t) {
    const n = t.ns;
    const f = await t.file('net.json', { apiVersion: 'v1', kind: 'List', items: [
      { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'i', annotations: { a: 'b' } }, spec: { ingressClassName: `${n}-c`, defaultBackend: { service: { name: 'd', port: { number: 80 } } }, tls: [{ hosts: ['a.com'], secretName: 's' }], rules: [{ host: 'a.com', http: { paths: [{ path: '/x', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'http' } } } }, { path: '/y', pathType: 'Exact', backend: { resource: { apiGroup: 'g', kind: 'K', name: 'n' } } }] } }, { http: { paths: [{ pathType: 'ImplementationSpecific', backend: { service: { name: 's', port: { number: 1 } } } }] } }] } },
      { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: `${n}-c` }, spec: { controller: 'e.x/c', parameters: { apiGroup: 'g', kind: 'K', name: 'n', scope: 'Cluster' } } },
      { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p' }, spec: { podSelector: { matchLabels: { a: 'b' } }, ingress: [{ from: [{ ipBlock: { cidr: '1.0.0.0/8', except: ['1.1.0.0/16'] } }, { namespaceSelector: { matchLabels: { x: 'y' } }, podSelector: {} }], ports: [{ port: 80 }, { port: 'http', protocol: 'UDP' }, { port: 100, endPort: 200 }] }], egress: [{}] } },
      { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'q' }, spec: { podSelector: {}, policyTypes: ['Egress'] } },
    ] });
    await each(t, `
      apply -f ${f}
      apply -f ${f}
      get ingress
      get ingress i -o yaml
      get ingress -o wide
      describe ingress i
      get ingressclass ${n}-c
      describe ingressclass ${n}-c
      get netpol
      get netpol p -o yaml
      describe netpol p
      describe netpol q
      patch ingress i --type=json -p [{"op":"remove","path":"/spec/rules/0/http/paths/0/pathType"}]
      patch ingress i --type=merge -p {"spec":{"rules":[{"host":"*.b.com"},{"host":"bad_"}]}}
      patch ingress i --type=merge -p {"spec":{"defaultBackend":null,"rules":null,"tls":null}}
      patch ingress i --subresource=status --type=merge -p {"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"},{"hostname":"h.x"}]}}}
      get ingress i
      patch netpol p --type=merge -p {"spec":{"policyTypes":["Odd"],"ingress":[{"from":[{"ipBlock":{"cidr":"x"}}]}]}}
      create ingress two --class=x --rule=foo.com/*=svc:80
      describe ingress two
      create ingress bad --rule=foo_/x=svc:80
      delete ingressclass ${n}-c
      delete ingress --all
      get ipaddresses -l a=b`);
  },
  async 'autoscalers, webhooks, drivers, requests and other kinds'(t) {
    const n = t.ns;
    const f = await t.file('o.json', { apiVersion: 'v1', kind: 'List', items: [
      { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' }, spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, minReplicas: 2, maxReplicas: 5, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }, { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '10' } } }], behavior: { scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 2, periodSeconds: 30 }] } } } },
      { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: `${n}-r` }, handler: 'h', overhead: { podFixed: { cpu: '100m' } }, scheduling: { nodeSelector: { a: 'b' } } },
      { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttributesClass', metadata: { name: `${n}-v` }, driverName: 'd', parameters: { a: 'b' } },
      { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'c' }, data: { a: 1 }, revision: 3 },
      { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'pt' }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'b' }] } } },
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { holderIdentity: 'me', leaseDurationSeconds: 10 } },
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'es', labels: { 'kubernetes.io/service-name': 'x' } }, addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4'], conditions: { ready: true }, zone: 'z', nodeName: 'n' }], ports: [{ name: 'p', port: 80 }] },
      { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'ep', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }, subsets: [{ addresses: [{ ip: '1.2.3.4' }], notReadyAddresses: [{ ip: '1.2.3.5' }], ports: [{ name: 'p', port: 80 }] }] },
      { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec: { maxUnavailable: 1, selector: { matchLabels: { q: 'r' } }, unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
    ] });
    await each(t, `
      apply -f ${f}
      apply -f ${f}
      get hpa h
      get hpa h -o yaml
      get hpa.v1.autoscaling h -o yaml
      get runtimeclass ${n}-r -o yaml
      describe runtimeclass ${n}-r
      get vac ${n}-v
      describe vac ${n}-v
      get controllerrevisions c
      describe controllerrevision c
      get podtemplates
      describe podtemplate pt
      get leases
      describe lease l
      get endpointslices es
      describe endpointslice es
      get endpoints ep
      describe endpoints ep
      get pdb b
      patch pdb b --type=merge -p {"spec":{"maxUnavailable":null,"minAvailable":"x%"}}
      patch lease l --type=merge -p {"spec":{"leaseDurationSeconds":0}}
      patch controllerrevision c --type=merge -p {"data":{"a":2}}
      patch runtimeclass ${n}-r --type=merge -p {"handler":"i"}
      patch hpa h --type=merge -p {"spec":{"minReplicas":9,"maxReplicas":3}}
      patch endpointslice es --type=merge -p {"addressType":"IPv6"}
      get csr
      get resourceclaims
      get deviceclasses
      get mutatingwebhookconfigurations
      get validatingwebhookconfigurations
      get crd ${n}
      get csistoragecapacities
      get volumeattachments
      delete runtimeclass ${n}-r
      delete vac ${n}-v
      delete hpa h`);
  },
};
