"""Uses Jobs as a Python program does: create, watch, patch, apply, delete with the `kubernetes` package. Argument: a kubeconfig."""
import sys
import threading

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
batch = client.BatchV1Api()
NAMESPACE = "default"


def want(ok, what):
    if not ok:
        sys.exit(f"not so: {what}")
    print(what)


def refused(call, status, reason, what):
    try:
        call()
    except ApiException as error:
        want(error.status == status and f'"reason":"{reason}"' in error.body, what)
        return
    sys.exit(f"not so: {what}: it was accepted")


def job(name):
    container = client.V1Container(name="main", image="alpine", command=["true"])
    template = client.V1PodTemplateSpec(spec=client.V1PodSpec(restart_policy="Never", containers=[container]))
    return client.V1Job(metadata=client.V1ObjectMeta(name=name, labels={"made-by": "python"}), spec=client.V1JobSpec(template=template))


def updated(read, change, replace):
    """Reads, changes and replaces until nobody (the Job controller, here) has written in between."""
    while True:
        value = read("python-job", NAMESPACE)
        change(value)
        try:
            return replace("python-job", NAMESPACE, value)
        except ApiException as error:
            if error.status != 409:
                raise


def resume(value):
    value.spec.suspend = False


def count_one(value):
    value.status.active = 1
    value.status.ready = 1


seen = []
started = batch.list_namespaced_job(NAMESPACE).metadata.resource_version


def follow():
    for event in watch.Watch().stream(batch.list_namespaced_job, NAMESPACE, resource_version=started, label_selector="made-by=python", timeout_seconds=20):
        seen.append(event["type"])
        if event["type"] == "DELETED":
            return


follower = threading.Thread(target=follow)
follower.start()

made = batch.create_namespaced_job(NAMESPACE, job("python-job"))
want(made.spec.backoff_limit == 6 and made.metadata.creation_timestamp is not None, "a Job was created with defaults")
refused(lambda: batch.create_namespaced_job(NAMESPACE, job("python-job")), 409, "AlreadyExists", "a second one is AlreadyExists")
refused(lambda: batch.create_namespaced_job(NAMESPACE, job("Not_A_Name")), 422, "Invalid", "a bad name is Invalid")
want(batch.patch_namespaced_job("python-job", NAMESPACE, {"spec": {"suspend": True}}).spec.suspend, "a merge patch")
want(batch.patch_namespaced_job("python-job", NAMESPACE, [{"op": "add", "path": "/metadata/annotations", "value": {"a": "1"}}]).metadata.annotations == {"a": "1"}, "a JSON patch")
read = updated(batch.read_namespaced_job, resume, batch.replace_namespaced_job)
want(read.spec.suspend is False, "an update")
read.metadata.resource_version = made.metadata.resource_version
refused(lambda: batch.replace_namespaced_job("python-job", NAMESPACE, read), 409, "Conflict", "an update of an old version is a Conflict")
want(updated(batch.read_namespaced_job_status, count_one, batch.replace_namespaced_job_status).metadata.name == "python-job", "a status update")

jobs = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="batch/v1", kind="Job")
manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "python-job", "labels": {"applied": "yes"}}}
applied = jobs.server_side_apply(body=manifest, namespace=NAMESPACE, name="python-job", field_manager="python", force_conflicts=True)
want(applied.metadata.labels.applied == "yes", "an apply of the dynamic client")
want(len(jobs.get(namespace=NAMESPACE, label_selector="made-by=python").items) == 1, "a list of the dynamic client")

batch.delete_namespaced_job("python-job", NAMESPACE, propagation_policy="Background")
follower.join()
want(seen[0] == "ADDED" and seen[-1] == "DELETED" and "MODIFIED" in seen, "the watch told of all of it")
refused(lambda: batch.read_namespaced_job("python-job", NAMESPACE), 404, "NotFound", "then it is NotFound")

utils.create_from_dict(client.ApiClient(), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "python-settings"}, "data": {"k": "v"}})
want(client.CoreV1Api().read_namespaced_config_map("python-settings", NAMESPACE).data == {"k": "v"}, "a manifest")
client.CoreV1Api().delete_namespaced_config_map("python-settings", NAMESPACE)
pages = []
for name in ("a", "b", "c"):
    client.CoreV1Api().create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"page": "yes"})))
token = None
while token != "":
    page = client.CoreV1Api().list_namespaced_config_map(NAMESPACE, limit=2, label_selector="page=yes", **({"_continue": token} if token else {}))
    pages.append(len(page.items))
    token = page.metadata._continue or ""
want(pages == [2, 1], "a list in pages")
client.CoreV1Api().delete_collection_namespaced_config_map(NAMESPACE, label_selector="page=yes")
want(client.VersionApi().get_code().major == "1", "the version")
print("all held")
