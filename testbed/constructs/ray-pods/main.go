// Reads a RayService and writes the pods that KubeRay's own code makes of it: of the head, and one of each group of workers.
package main

import (
	"context"
	"encoding/json"
	"os"

	corev1 "k8s.io/api/core/v1"

	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/common"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils"
)

const gcsPort = "6379"

func main() {
	var service rayv1.RayService
	if err := json.NewDecoder(os.Stdin).Decode(&service); err != nil {
		panic(err)
	}
	ctx := context.Background()
	cluster := rayv1.RayCluster{Spec: service.Spec.RayClusterSpec}
	cluster.Name, cluster.Namespace = service.Name+"-abcde", service.Namespace
	address := utils.GenerateFQDNServiceName(ctx, cluster, cluster.Namespace)
	scales := utils.IsAutoscalingEnabled(&cluster.Spec)

	head := cluster.Spec.HeadGroupSpec
	template := common.DefaultHeadPodTemplate(ctx, cluster, head, cluster.Name+"-head", gcsPort)
	pods := []corev1.Pod{
		common.BuildPod(ctx, template, rayv1.HeadNode, head.RayStartParams, gcsPort, scales, utils.RayServiceCRD, address, nil),
	}
	for _, group := range cluster.Spec.WorkerGroupSpecs {
		template := common.DefaultWorkerPodTemplate(ctx, cluster, group, cluster.Name+"-worker", address, gcsPort, "", 0, 0)
		pods = append(pods,
			common.BuildPod(ctx, template, rayv1.WorkerNode, group.RayStartParams, gcsPort, scales, utils.RayServiceCRD, address, nil))
	}
	if err := json.NewEncoder(os.Stdout).Encode(pods); err != nil {
		panic(err)
	}
}
