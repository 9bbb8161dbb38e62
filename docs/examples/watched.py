"""A small convolutional network, trained with torch's own SGD and watched."""

import torch
from torch import nn

from tangency.optim import Monitor

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 8, 3, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 4),
)
means = torch.randn(4, 3, 8, 8)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

with Monitor(optimizer, every=5, names=model.named_parameters(), out="run.jsonl"):
    for _ in range(150):
        labels = torch.randint(4, (32,))
        images = means[labels] + 2 * torch.randn(32, 3, 8, 8)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
