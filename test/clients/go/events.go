package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
)

func scheme() *runtime.Scheme { return clientscheme.Scheme }

// The sink that controllers give their event broadcaster.
type eventSink struct{ client kubernetes.Interface }

func (s *eventSink) sink() *typedcore.EventSinkImpl {
	return &typedcore.EventSinkImpl{Interface: s.client.CoreV1().Events("")}
}
func (s *eventSink) Create(event *corev1.Event) (*corev1.Event, error) { return s.sink().Create(event) }
func (s *eventSink) Update(event *corev1.Event) (*corev1.Event, error) { return s.sink().Update(event) }
func (s *eventSink) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.sink().Patch(event, data)
}
