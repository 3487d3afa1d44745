kubectl create namespace observer-prod
