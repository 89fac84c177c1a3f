// Uses Jobs as a controller written with client-go does: an informer, leader election, create, patch, apply, delete.
// Arguments: a kubeconfig and a content type. Prints one line for each thing that held; ends with status 1 and the reason at the first that did not.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

const namespace = "default"

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func want(ok bool, what string, args ...any) {
	if !ok {
		must(fmt.Errorf("not so: "+what, args...))
	}
	fmt.Printf(what+"\n", args...)
}

func jobNamed(name string) *batchv1.Job {
	one := int32(1)
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made-by": "client-go"}},
		Spec: batchv1.JobSpec{
			Completions: &one,
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "alpine", Command: []string{"true"}}},
			}},
		},
	}
}

// An event of the informer, as `added name`.
func watchJobs(ctx context.Context, client kubernetes.Interface) (chan string, informers.SharedInformerFactory) {
	events := make(chan string, 1000)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	name := func(object any) string {
		if unknown, is := object.(cache.DeletedFinalStateUnknown); is {
			return unknown.Key
		}
		return object.(*batchv1.Job).Name
	}
	_, err := factory.Batch().V1().Jobs().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { events <- "added " + name(object) },
		UpdateFunc: func(_, object any) { events <- "updated " + name(object) },
		DeleteFunc: func(object any) { events <- "deleted " + name(object) },
	})
	must(err)
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		want(synced, "the informer of %s has synced", kind)
	}
	return events, factory
}

func await(ctx context.Context, events chan string, expected string) {
	for {
		select {
		case event := <-events:
			if event == expected {
				fmt.Println("the informer told:", expected)
				return
			}
		case <-ctx.Done():
			must(fmt.Errorf("no event %q", expected))
		}
	}
}

func lead(ctx context.Context, client kubernetes.Interface) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: "clients", Namespace: namespace},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "one"},
	}
	leading, stop := context.WithCancel(ctx)
	started := false
	leaderelection.RunOrDie(leading, leaderelection.LeaderElectionConfig{
		Lock: lock, ReleaseOnCancel: true, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { started = true; time.Sleep(600 * time.Millisecond); stop() },
			OnStoppedLeading: func() {},
		},
	})
	lease, err := client.CoordinationV1().Leases(namespace).Get(ctx, "clients", metav1.GetOptions{})
	must(err)
	want(started && *lease.Spec.HolderIdentity == "", "was elected, renewed its lease and released it")
	must(client.CoordinationV1().Leases(namespace).Delete(ctx, "clients", metav1.DeleteOptions{}))
}

func changes(ctx context.Context, client kubernetes.Interface, events chan string) {
	jobs := client.BatchV1().Jobs(namespace)
	made, err := jobs.Create(ctx, jobNamed("go-job"), metav1.CreateOptions{})
	must(err)
	want(made.UID != "" && *made.Spec.BackoffLimit == 6 && made.Kind == "", "a Job was created with defaults")
	await(ctx, events, "added go-job")
	_, err = jobs.Create(ctx, jobNamed("go-job"), metav1.CreateOptions{})
	want(apierrors.IsAlreadyExists(err), "a second one is AlreadyExists")

	patched, err := jobs.Patch(ctx, "go-job", types.StrategicMergePatchType, []byte(`{"metadata":{"annotations":{"a":"1"}}}`), metav1.PatchOptions{})
	must(err)
	want(patched.Annotations["a"] == "1", "a strategic merge patch")
	patched, err = jobs.Patch(ctx, "go-job", types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/annotations/b","value":"2"}]`), metav1.PatchOptions{})
	must(err)
	want(patched.Annotations["b"] == "2", "a JSON patch")
	await(ctx, events, "updated go-job")

	stale := made.DeepCopy()
	stale.Labels["x"] = "stale"
	_, err = jobs.Update(ctx, stale, metav1.UpdateOptions{})
	want(apierrors.IsConflict(err), "an update of an old version is a Conflict")
	must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		job, err := jobs.Get(ctx, "go-job", metav1.GetOptions{})
		if err != nil {
			return err
		}
		suspend := true
		job.Spec.Suspend = &suspend
		_, err = jobs.Update(ctx, job, metav1.UpdateOptions{FieldManager: "updater"})
		return err
	}))

	owned := applybatch.Job("go-job", namespace).WithLabels(map[string]string{"applied": "yes"}).WithSpec(applybatch.JobSpec().WithSuspend(false))
	_, err = jobs.Apply(ctx, owned, metav1.ApplyOptions{FieldManager: "applier"})
	want(apierrors.IsConflict(err), "applying another's field is a Conflict")
	applied, err := jobs.Apply(ctx, owned, metav1.ApplyOptions{FieldManager: "applier", Force: true})
	must(err)
	want(applied.Labels["applied"] == "yes" && !*applied.Spec.Suspend, "applying with force takes it over")
	extracted, err := applybatch.ExtractJob(applied, "applier")
	must(err)
	want(extracted.Labels["applied"] == "yes" && len(extracted.Labels) == 1, "what a manager owns can be extracted")
	again, err := jobs.Apply(ctx, owned, metav1.ApplyOptions{FieldManager: "applier", Force: true})
	must(err)
	want(again.Labels["applied"] == "yes", "applying twice")

	foreground := metav1.DeletePropagationForeground
	must(jobs.Delete(ctx, "go-job", metav1.DeleteOptions{PropagationPolicy: &foreground}))
	await(ctx, events, "deleted go-job")
	_, err = jobs.Get(ctx, "go-job", metav1.GetOptions{})
	want(apierrors.IsNotFound(err), "then it is NotFound")
}

func otherClients(ctx context.Context, config *rest.Config, client kubernetes.Interface) {
	jobs := schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	loose, err := dynamic.NewForConfig(config)
	must(err)
	for i := range 5 {
		_, err := client.BatchV1().Jobs(namespace).Create(ctx, jobNamed(fmt.Sprintf("many-%d", i)), metav1.CreateOptions{})
		must(err)
	}
	page, err := loose.Resource(jobs).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 2, LabelSelector: "made-by=client-go"})
	must(err)
	want(len(page.Items) == 2 && page.GetContinue() != "" && page.GetRemainingItemCount() == nil, "the dynamic client pages")
	bare, err := metadata.NewForConfig(config)
	must(err)
	list, err := bare.Resource(jobs).Namespace(namespace).List(ctx, metav1.ListOptions{})
	must(err)
	want(len(list.Items) == 5 && list.Items[0].Name == "many-0", "the metadata client lists")
	watcher, err := bare.Resource(jobs).Namespace(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	must(err)
	must(client.BatchV1().Jobs(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	for left := 5; left > 0; {
		event, open := <-watcher.ResultChan()
		want(open, "the metadata watch goes on")
		if event.Type == "DELETED" {
			left--
		}
	}
	watcher.Stop()
	fmt.Println("deletecollection deleted them all")

	_, err = client.CoreV1().ConfigMaps(namespace).Apply(ctx, applycore.ConfigMap("settings", namespace).WithData(map[string]string{"k": "v"}), metav1.ApplyOptions{FieldManager: "applier"})
	must(err)
	settings, err := loose.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(namespace).Get(ctx, "settings", metav1.GetOptions{})
	must(err)
	data, _ := json.Marshal(settings.Object["data"])
	want(string(data) == `{"k":"v"}`, "apply creates")
	must(client.CoreV1().ConfigMaps(namespace).Delete(ctx, "settings", metav1.DeleteOptions{}))
}

func events(ctx context.Context, client kubernetes.Interface) {
	must(client.CoreV1().Events(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "reason=Seen"}))
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&eventSink{client})
	recorder := broadcaster.NewRecorder(scheme(), corev1.EventSource{Component: "clients"})
	object := &corev1.ObjectReference{Kind: "Job", APIVersion: "batch/v1", Name: "go-job", Namespace: namespace, UID: "u"}
	for range 3 {
		recorder.Event(object, corev1.EventTypeNormal, "Seen", "it was seen")
	}
	for ctx.Err() == nil {
		list, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Seen"})
		must(err)
		if len(list.Items) == 1 && list.Items[0].Count == 3 {
			fmt.Println("events are recorded and counted")
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	must(fmt.Errorf("no event with count 3"))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	config.ContentType = os.Args[2]
	config.QPS, config.Burst = 1000, 1000
	client, err := kubernetes.NewForConfig(config)
	must(err)
	jobs, factory := watchJobs(ctx, client)
	lead(ctx, client)
	changes(ctx, client, jobs)
	plain := rest.CopyConfig(config)
	plain.ContentType = ""
	otherClients(ctx, plain, client)
	events(ctx, client)
	cancel()
	factory.Shutdown()
	fmt.Println("all held")
}
